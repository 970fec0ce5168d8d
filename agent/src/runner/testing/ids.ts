/** Ids for tests: well-formed, readable, different. */
import { formatId, type IdKind } from "@ai-dev-platform/protocol/ids";

export const testId = (kind: IdKind, number: number): string =>
  formatId(
    kind,
    new Uint8Array(26)
      .fill(0)
      .with(24, number >> 5)
      .with(25, number & 31),
  );
