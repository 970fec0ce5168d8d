/** Who calls /v1: the holder of an API token. Set by `requireToken`, read by every route under it. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";

export interface ApiCaller {
  userId: string;
  /** Of the person. */
  name: string;
  tokenId: string;
  tokenName: string;
  scopes: readonly ApiScope[];
  /** US dollars in all; null: no limit of its own. */
  budgetUsd: number | null;
  expiresAt: number | null;
}
