import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLiveReader, loadTailCompletion, readBlocks, safeHref } from "./markdown-blocks.ts";

const TEXT =
  "# Head\n\nA **bold** word.\n\n- one\n- two\n\n  more of two\n\n```ts\nconst a = 1;\n\nconst b = 2;\n```\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd.\n";
const raws = (blocks: ReturnType<typeof readBlocks>) => blocks.map((block) => [block.key, block.token.type, block.token.raw.trim()]);

describe("markdown blocks", () => {
  it("reads a growing text to the same blocks as the whole, however it was cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }), (steps) => {
        const read = createLiveReader();
        let length = 0;
        for (const step of steps) read(TEXT.slice(0, (length += step)));
        expect(raws(read(TEXT))).toEqual(raws(readBlocks(TEXT)));
      }),
    );
  });

  it("reads a text anew that is not a continuation", () => {
    const read = createLiveReader();
    read(TEXT);
    expect(raws(read("Other.\n"))).toEqual(raws(readBlocks("Other.\n")));
  });

  it("completes half a marker at the open end", async () => {
    await loadTailCompletion();
    const [block] = createLiveReader()("half **bold");
    expect(block?.token).toMatchObject({ type: "paragraph", tokens: [{ type: "text" }, { type: "strong", text: "bold" }] });
  });

  it.each(["https://example.com/a", "http://example.com", "mailto:a@example.com"])("follows %s", (href) => {
    expect(safeHref(href)).not.toBeNull();
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/relative",
    "#anchor",
    "//host/path",
    "file:///etc/passwd",
    "",
  ])("does not follow %j", (href) => {
    expect(safeHref(href)).toBeNull();
  });
});
