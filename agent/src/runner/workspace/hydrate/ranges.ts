/**
 * In which ranges the blocks of a restore are asked for, decided before the first of them. Pure. Blocks stand in a pack in
 * the order in which files are written, so that most ranges are long; a hole that is cheaper to read than to skip is read.
 */
import type { Block } from "@ai-dev-platform/protocol/packs/pack-file";

export interface PlannedBlock {
  key: string;
  pack: string;
  block: Block;
}

export interface Range {
  pack: string;
  from: number;
  /** Behind its last byte. */
  to: number;
  blocks: PlannedBlock[];
}

/** A request takes about 0.1 s before its first byte; larger ones only hold more in memory. */
export const MAX_RANGE_BYTES = 4 * 1_048_576;
/** Read and thrown away rather than asked for apart: a request costs more time than these. */
const MAX_HOLE_BYTES = 262_144;

/** `blocks`: each once, in the order of their first use. */
export function planRanges(blocks: Iterable<PlannedBlock>): Range[] {
  const ranges: Range[] = [];
  let last: Range | undefined;
  for (const planned of blocks) {
    const { offset, storedBytes } = planned.block;
    const to = offset + storedBytes;
    const isNext = last !== undefined && last.pack === planned.pack && offset >= last.to && offset - last.to <= MAX_HOLE_BYTES;
    if (last !== undefined && isNext && to - last.from <= MAX_RANGE_BYTES) {
      last.to = to;
      last.blocks.push(planned);
      continue;
    }
    last = { pack: planned.pack, from: offset, to, blocks: [planned] };
    ranges.push(last);
  }
  return ranges;
}
