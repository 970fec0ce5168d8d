import { MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import { describe, expect, it } from "vitest";
import { archiveFormat, judgeFile } from "./archive-file.ts";
import { readUploaded } from "./uploaded.ts";

describe("archiveFormat", () => {
  it.each([
    ["relay.zip", "zip"],
    ["Relay.ZIP", "zip"],
    ["relay.tar", "tar"],
    ["relay.tar.gz", "tar.gz"],
    ["relay.tgz", "tar.gz"],
    ["relay.rar", null],
    ["zip", null],
    ["relay.gz", null],
  ])("reads %s as %s", (name, format) => {
    expect(archiveFormat(name)).toBe(format);
  });
});

describe("judgeFile", () => {
  it("takes what may be sent, and says why not otherwise", () => {
    expect(judgeFile({ name: "a.tgz", size: MAX_IMPORT_BYTES })).toEqual({ ok: true, format: "tar.gz" });
    expect(judgeFile({ name: "a.tgz", size: MAX_IMPORT_BYTES + 1 })).toMatchObject({ ok: false });
    expect(judgeFile({ name: "a.zip", size: 0 })).toMatchObject({ ok: false });
    expect(judgeFile({ name: "a.7z", size: 10 })).toMatchObject({ ok: false });
  });
});

describe("readUploaded", () => {
  it("believes whole records only", () => {
    const whole = { importId: "imp_1", format: "zip", bytes: 3, expiresAt: 4, name: "a.zip" };
    expect(readUploaded(whole)).toEqual(whole);
    expect(readUploaded({ ...whole, format: "rar" })).toBeNull();
    expect(readUploaded({ ...whole, importId: 7 })).toBeNull();
    expect(readUploaded(null)).toBeNull();
  });
});
