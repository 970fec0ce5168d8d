/** What a save holds and leaves out, as the screen tells it. Pure. */
import type { SessionState } from "@ai-dev-platform/protocol/state";

type LeftOut = NonNullable<SessionState["saved"]>["leftOut"];
export type LeftOutReason = LeftOut[number]["reason"];

export interface LeftOutGroup {
  reason: LeftOutReason;
  paths: readonly string[];
}

/** Reasons that a person can do something about come first. */
const ORDER: readonly LeftOutReason[] = ["too_large", "unreadable", "special_file", "dependencies", "cache"];

export const leftOutGroups = (leftOut: LeftOut): LeftOutGroup[] =>
  ORDER.flatMap((reason) => {
    const paths = leftOut.filter((one) => one.reason === reason).map(({ path }) => path);
    return paths.length === 0 ? [] : [{ reason, paths }];
  });

const ID_PREFIX_CHARS = "snp_".length;
const SHORT_ID_CHARS = 8;

/** Enough of a saved state's id to tell it from others. */
export const shortId = (snapshotId: string): string => snapshotId.slice(ID_PREFIX_CHARS, ID_PREFIX_CHARS + SHORT_ID_CHARS);

const MINUTE_MS = 60_000;
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "always", style: "short" });

/** "3 sec. ago"; null from a minute on, when the screen's usual words are exact enough. */
export const secondsAgo = (at: number, now: number): string | null => {
  const ageMs = Math.max(0, now - at);
  return ageMs < MINUTE_MS ? ago.format(-Math.floor(ageMs / 1_000), "second") : null;
};
