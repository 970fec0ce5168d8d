import { decodeFrame } from "@ai-dev-platform/protocol/codec";
import { MAX_FRAME_BYTES } from "@ai-dev-platform/protocol/limits";
import { runnerFrameSchema } from "@ai-dev-platform/protocol/runner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLivePiece } from "./live-piece.ts";

const PIECE = { type: "live", thread: "main", block: "msg_1:0", kind: "text", offset: 0, text: "Hello" };
const read = (value: unknown) => readLivePiece(typeof value === "string" ? value : JSON.stringify(value), MAX_FRAME_BYTES);

const anyField = fc.oneof(
  fc.constantFrom<unknown>("live", "main", "text", "thinking", "", "x".repeat(64), "x".repeat(65), "x".repeat(200), "x".repeat(201), null),
  fc.constantFrom<unknown>(0, -0, -1, 1.5, 1e16, 2 ** 53, true, [], {}),
  fc.string(),
  fc.integer(),
);
const frames = fc
  .record({
    type: fc.constant("live"),
    thread: fc.oneof(fc.constantFrom("main", "thread-2"), anyField),
    block: fc.oneof(fc.constant("msg_1:0"), anyField),
    kind: fc.oneof(fc.constantFrom("text", "thinking"), anyField),
    offset: fc.oneof(fc.nat(), anyField),
    text: fc.oneof(fc.string(), anyField),
  })
  .chain((frame) =>
    fc
      .tuple(
        fc.constantFrom<string>("", "", "", ...Object.keys(PIECE)),
        fc.dictionary(fc.constantFrom("parentToolId", "rseq", "__proto__", "constructor"), anyField, { maxKeys: 1 }),
      )
      .map(([dropped, extra]) => Object.fromEntries(Object.entries({ ...frame, ...extra }).filter(([name]) => name !== dropped))),
  );

describe("a piece of live text", () => {
  it("is read as it was written", () => {
    expect(read(PIECE)).toEqual(PIECE);
    expect(read({ ...PIECE, kind: "thinking", parentToolId: "toolu_1" })).toEqual({ ...PIECE, kind: "thinking", parentToolId: "toolu_1" });
  });

  it("is read exactly when the schema reads it", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const text = JSON.stringify(frame);
        const decoded = decodeFrame(runnerFrameSchema, text, MAX_FRAME_BYTES);
        const piece = readLivePiece(text, MAX_FRAME_BYTES);
        // A frame in another spelling is the schema's; one that is read here must be the schema's answer too.
        if (text.startsWith('{"type":"live",')) expect(piece !== null).toBe(decoded.ok);
        if (piece !== null) expect(decoded).toEqual({ ok: true, frame: piece });
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, string | ArrayBuffer]>([
    ["bytes", new ArrayBuffer(8)],
    ["what is too long", JSON.stringify({ ...PIECE, text: "x".repeat(MAX_FRAME_BYTES) })],
    ["what is not JSON", '{"type":"live",'],
    [
      "a field in its own prototype's name",
      '{"type":"live","thread":"main","block":"b","kind":"text","offset":0,"text":"","__proto__":{}}',
    ],
    ["a second type", '{"type":"live","thread":"main","block":"b","kind":"text","offset":0,"text":"","type":"bye"}'],
    ["another frame", '{"type":"bye"}'],
  ])("[PV3] leaves %s to the schema", (_, message) => {
    expect(readLivePiece(message, MAX_FRAME_BYTES)).toBeNull();
  });
});
