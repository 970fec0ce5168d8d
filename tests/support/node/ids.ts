import { randomBytes } from "node:crypto";
import { formatId, ID_RANDOM_BYTES, type IdKind } from "@ai-dev-platform/protocol/ids";

export const newId = (kind: IdKind): string => formatId(kind, randomBytes(ID_RANDOM_BYTES));
