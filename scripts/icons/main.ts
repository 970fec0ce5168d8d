/**
 * Draws the app's icons (frontend/public/icon-*.png): the shapes of favicon.svg as PNG, for systems that take no SVG.
 * Run again when the shapes change: node scripts/icons/main.ts. Same shapes, same bytes.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";

type Point = readonly [x: number, y: number];

/** In the units of favicon.svg: a square of 32. */
const UNITS = 32;
const INK = [0x16, 0x18, 0x1d] as const;
const PAPER = [0xfc, 0xfc, 0xfd] as const;
const CORNER = 7;
const STROKE = 2.5;
const LINES: readonly (readonly [Point, Point])[] = [
  [
    [9, 11],
    [14, 16],
  ],
  [
    [14, 16],
    [9, 21],
  ],
  [
    [17, 21],
    [23, 21],
  ],
];
/** Samples each way in a pixel: smooth edges. */
const SAMPLES = 4;
/** A maskable icon may lose a tenth on every side: the ground goes to the edge, and the shape is drawn smaller. */
const MASKABLE_SCALE = 0.78;

function isInSquare([x, y]: Point, corner: number): boolean {
  const dx = Math.max(corner - x, x - (UNITS - corner), 0);
  const dy = Math.max(corner - y, y - (UNITS - corner), 0);
  return dx * dx + dy * dy <= corner * corner || corner === 0;
}

function isOnLine([x, y]: Point, [[ax, ay], [bx, by]]: readonly [Point, Point]): boolean {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy) <= STROKE / 2;
}

/** Share of the samples of a pixel that lie in the square, and on the lines. */
function coverage(column: number, row: number, size: number, isMaskable: boolean): { square: number; line: number } {
  let [square, line] = [0, 0];
  const middle = UNITS / 2;
  for (let index = 0; index < SAMPLES * SAMPLES; index += 1) {
    const x = ((column + ((index % SAMPLES) + 0.5) / SAMPLES) * UNITS) / size;
    const y = ((row + (Math.floor(index / SAMPLES) + 0.5) / SAMPLES) * UNITS) / size;
    if (!isMaskable && !isInSquare([x, y], CORNER)) continue;
    square += 1;
    const scale = isMaskable ? MASKABLE_SCALE : 1;
    const drawn: Point = [(x - middle) / scale + middle, (y - middle) / scale + middle];
    if (LINES.some((each) => isOnLine(drawn, each))) line += 1;
  }
  return { square: square / (SAMPLES * SAMPLES), line: square === 0 ? 0 : line / square };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}

function drawPng(size: number, isMaskable: boolean): Buffer {
  const rowBytes = 1 + size * 4;
  const pixels = Buffer.alloc(rowBytes * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const { square, line } = coverage(column, row, size, isMaskable);
      const at = row * rowBytes + 1 + column * 4;
      INK.forEach((ink, index) => (pixels[at + index] = Math.round(ink + ((PAPER[index] ?? 0) - ink) * line)));
      pixels[at + 3] = Math.round(square * 255);
    }
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0]);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const folder = path.join(import.meta.dirname, "../../frontend/public");
for (const [name, size, isMaskable] of [
  ["icon-192.png", 192, false],
  ["icon-512.png", 512, false],
  ["icon-maskable.png", 512, true],
  // iOS cuts the corners itself.
  ["apple-touch-icon.png", 180, true],
] as const)
  writeFileSync(path.join(folder, name), drawPng(size, isMaskable));
