/** New ids of the Worker: the protocol's format with the platform's randomness. */
import { formatId, ID_RANDOM_BYTES, type IdKind } from "@ai-dev-platform/protocol/ids";

export const newId = (kind: IdKind): string => formatId(kind, crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)));
