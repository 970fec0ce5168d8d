import { describe, expect, it } from "vitest";
import { judgeSource, nameOfSource } from "./project-source.ts";

const git = (url: string, branch: string | null = null) => ({ kind: "git" as const, url, branch });
const path = (value: string) => ({ kind: "path" as const, path: value });

describe("judgeSource", () => {
  it.each(["https://github.com/owner/name.git", "http://git.test:3000/a", "ssh://git@host.test/a.git", "git@github.com:owner/name.git"])(
    "accepts %s",
    (url) => {
      expect(judgeSource(git(url, "feature/a-1"), false)).toEqual({ ok: true });
    },
  );
  it.each([
    "",
    "-u",
    "--upload-pack=touch /x",
    "https://user:secret@host.test/a",
    "https://token@host.test/a",
    "ssh://git:secret@host.test/a",
    "ssh://-oProxyCommand=x/a",
    "ssh://-oProxyCommand=x@host.test/a",
    "git@-oProxyCommand=x:a",
    "git@host:-a",
    "ext::sh -c x",
    "ext::sh",
    "fd::17",
    "ftp://host.test/a",
    "javascript:alert(1)",
    "https://",
    "https://host.test/a\nb",
    "https://host.test/a b",
    "https://host.test/\u0000",
    "host.test/a",
    "../a",
  ])("refuses %j", (url) => {
    expect(judgeSource(git(url), true)).toMatchObject({ ok: false, code: "bad_request" });
  });
  it.each(["file:///etc", "FILE:///etc", "/srv/repo"])("allows the local repository %s in local mode only", (url) => {
    expect(judgeSource(git(url), false)).toMatchObject({ ok: false, code: "forbidden" });
    expect(judgeSource(git(url), true)).toEqual({ ok: true });
  });
  it("allows folders in local mode only, and whole paths only", () => {
    expect(judgeSource(path("/home/me/app"), false)).toMatchObject({ ok: false, code: "forbidden" });
    expect(judgeSource(path("/home/me/app"), true)).toEqual({ ok: true });
    for (const odd of ["app", "", "/a\u0000b", "/a\nb"])
      expect(judgeSource(path(odd), true)).toMatchObject({ ok: false, code: "bad_request" });
  });
  it.each(["-b", "a b", "a..b", "a\u0007", "/a", "a/", "a.lock", "a~1", "a:b", ""])("refuses the branch %j", (branch) => {
    expect(judgeSource(git("https://host.test/a", branch), true)).toMatchObject({ ok: false, code: "bad_request" });
  });
});

describe("nameOfSource", () => {
  it("takes the last part", () => {
    expect(nameOfSource(git("git@github.com:owner/name.git"))).toBe("name");
    expect(nameOfSource(git("https://host.test/owner/app/"))).toBe("app");
    expect(nameOfSource(path("/home/me/app"))).toBe("app");
    expect(nameOfSource({ kind: "empty" })).toBe("New project");
  });
});
