import { describe, expect, it } from "vitest";
import { ARCHIVE_LIMITS, isGitName, judgeArchive, type ArchiveEntry, type Planned } from "./judge-archive.ts";

const file = (name: string, bytes = 1): ArchiveEntry => ({ name, kind: "file", bytes, isExecutable: false, target: "" });
const folder = (name: string): ArchiveEntry => ({ name, kind: "folder", bytes: 0, isExecutable: false, target: "" });
const link = (name: string, target: string): ArchiveEntry => ({ name, kind: "link", bytes: 0, isExecutable: false, target });
const copy = (name: string, target: string): ArchiveEntry => ({ name, kind: "copy", bytes: 0, isExecutable: false, target });
const other = (name: string): ArchiveEntry => ({ name, kind: "other", bytes: 0, isExecutable: false, target: "" });

const judge = (...entries: ArchiveEntry[]) => judgeArchive(entries, 1_000);
function planned(...entries: ArchiveEntry[]): Planned[] {
  const judged = judge(...entries);
  if (!judged.ok) throw new Error(judged.reason);
  return [...judged.plan.entries.values()];
}
const paths = (...entries: ArchiveEntry[]): string[] => planned(...entries).map(({ path }) => path);

describe("the table of an archive", () => {
  it("takes files, folders and links inside, and makes the folders that no entry names", () => {
    const judged = judge(file("./a.txt"), file("deep/er/b.txt"), link("deep/l", "../a.txt"), folder("empty/"));
    expect(judged).toMatchObject({ ok: true, plan: { folders: ["deep", "empty", "deep/er"], gitEntries: 0 } });
  });
  it("takes off one folder around it all, and only one", () => {
    expect(paths(folder("app-main/"), file("app-main/src/a"), file("app-main/b"))).toEqual(["src/a", "b"]);
    expect(paths(file("x/y/a"), file("x/y/b"))).toEqual(["y/a", "y/b"]);
    expect(paths(file("x/a"), file("y/a"))).toEqual(["x/a", "y/a"]);
    expect(paths(file("only"))).toEqual(["only"]);
    expect(paths(file("x/a"), file(".git/HEAD"))).toEqual(["x/a"]);
  });
  it("leaves out what systems put into archives", () => {
    expect(paths(folder("app/"), file("app/a"), file("app/.DS_Store"), file("__MACOSX/app/._a"))).toEqual(["a"]);
  });
  it("leaves out a .git wherever and however it is written", () => {
    const names = [".git/config", "sub/.git/hooks/post-checkout", ".GIT/config", "x/.Git", ".git./config", ".git /a", "git~1/config"];
    const judged = judge(file("a"), ...names.map((name) => file(name)), file(".g\u200cit/config"), file(".git::$INDEX_ALLOCATION/a"));
    expect(judged).toMatchObject({ ok: true, plan: { gitEntries: 9 } });
    for (const name of [".gitignore", ".github", "git", "a.git", ".gitmodules"]) expect(isGitName(name)).toBe(false);
  });
  it("follows a second name of a file to the first", () => {
    expect(planned(file("t/a", 7), copy("t/b", "t/a"), copy("t/c", "t/b"))).toMatchObject([
      { path: "a" },
      { kind: "copy", path: "b", from: "a", bytes: 7 },
      { kind: "copy", path: "c", from: "a", bytes: 7 },
    ]);
  });
});

describe("[SN14] a hostile table is refused whole:", () => {
  it.each<[string, ArchiveEntry[]]>([
    ["an absolute name", [file("/etc/passwd")]],
    ["a drive", [file("C:/x")]],
    ["a way out", [file("a/../../b")]],
    ["a way out at the end", [folder("a/..")]],
    ["a NUL", [file("a\0b")]],
    ["a name that is not UTF-8", [file("a\uFFFDb")]],
    ["a link to the root", [file("a"), link("l", "/etc")]],
    ["a link out", [file("a"), link("l", "../x")]],
    ["a link out of the folder that is taken off", [file("t/a"), link("t/l", "../x")]],
    ["a chain of links out", [file("a"), link("d/one", ".."), link("two", "d/one/..")]],
    ["a chain of links out by another case", [file("p/q/a"), file("z"), link("p/q/up", "../.."), link("p/q/x", "UP/..")]],
    ["an empty link", [file("a"), link("l", "")]],
    ["a file through a link", [link("l", "d"), file("d/a"), file("l/b")]],
    ["a file through a file", [file("a"), file("a/b")]],
    ["a folder in the place of a file", [file("x"), file("a/b"), file("a")]],
    ["the same name twice", [file("a"), file("a")]],
    ["the same name as link and file", [file("z"), link("a", "z"), file("a")]],
    ["names that differ in case", [file("Readme"), file("README")]],
    ["folders that differ in case", [file("Src/a"), file("src/b")]],
    ["names that differ in composition", [file("caf\u00e9"), file("cafe\u0301")]],
    ["a device", [file("a"), other("null")]],
    ["a second name of nothing", [copy("b", "a")]],
    ["a second name of what is outside", [file("a"), copy("b", "../../etc/passwd")]],
    ["a second name of a link", [file("a"), link("l", "a"), copy("b", "l")]],
    ["a second name of what comes later", [copy("b", "a"), file("a")]],
    ["nothing in it", [folder("a/")]],
    ["only a .git", [file(".git/HEAD")]],
    ["a negative size", [file("a", -1)]],
    ["a size beyond numbers", [file("a", 2 ** 60)]],
    ["too much", [file("a", ARCHIVE_LIMITS.bytes), file("b")]],
    ["too dense", [file("a", ARCHIVE_LIMITS.ratioFloorBytes + 1)]],
    ["a name that is too long", [file("n".repeat(256))]],
    ["too deep", [file(`${"d/".repeat(60)}a`), file("b")]],
    ["too long in all", [file(`${`${"n".repeat(200)}/`.repeat(11)}a`), file("b")]],
    ["too many folders that no entry names", Array.from({ length: 4_000 }, (_, n) => file(`${`${n}/`.repeat(55)}a`))],
  ])("%s", (_, entries) => {
    expect(judge(...entries)).toMatchObject({ ok: false, reason: expect.stringMatching(/\.$/) });
  });
  it("too many entries", () => {
    expect(judgeArchive([file("a"), file("b")], 1, { ...ARCHIVE_LIMITS, entries: 1 })).toMatchObject({ ok: false });
  });
});
