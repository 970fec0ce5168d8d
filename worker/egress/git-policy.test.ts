import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  judgePush,
  matchesBranch,
  MAX_COMMAND_LIST_BYTES,
  pushReport,
  readGitRequest,
  readPushList,
  repositoryAddress,
} from "./git-policy.ts";
import { concat, FLUSH, pktLine, readSection } from "./pkt-line.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const ZERO = "0".repeat(40);
const OWN = "ai-dev/3f9k2m1x*";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const stream = (...chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  }).getReader();
const list = (...lines: string[]) => readPushList(lines.map(bytes));
const judge = (...lines: string[]) => {
  const read = list(...lines);
  return read === null ? "unreadable" : judgePush(read, OWN).ok ? "ok" : "refused";
};

describe("Git requests", () => {
  const repository = "https://github.com/octo/repo";
  it.each([
    ["GET", "https://github.com/octo/repo.git/info/refs?service=git-upload-pack", "git-upload-pack", "advertise"],
    ["GET", "https://GitHub.com./octo/repo/info/refs?service=git-receive-pack", "git-receive-pack", "advertise"],
    ["POST", "https://github.com/octo/repo.git/git-upload-pack", "git-upload-pack", "run"],
    ["POST", "https://github.com/octo/repo/git-receive-pack", "git-receive-pack", "run"],
  ])("%s %s", (method, address, service, step) => {
    expect(readGitRequest(method, address)).toEqual({ service, step, repository, host: "github.com" });
  });

  it.each([
    ["GET", "http://github.com/octo/repo.git/info/refs?service=git-upload-pack"],
    ["GET", "https://github.com/octo/repo.git/info/refs"],
    ["GET", "https://github.com/octo/repo.git/info/refs?service=git-upload-pack&x=1"],
    ["GET", "https://github.com/octo/repo.git/info/refs?x=1&service=git-upload-pack"],
    ["GET", "https://github.com/octo/repo.git/info/refs?service=git-upload-archive"],
    ["POST", "https://github.com/octo/repo.git/info/refs?service=git-receive-pack"],
    ["GET", "https://github.com/octo/repo.git/git-receive-pack"],
    ["POST", "https://github.com/octo/repo.git/git-receive-pack?x"],
    ["POST", "https://github.com/octo/repo.git/git-receive-pack/"],
    ["POST", "https://github.com/octo/repo.git/%67it-receive-pack"],
    ["POST", "https://github.com/octo%2frepo.git/git-receive-pack"],
    ["POST", "https://github.com/octo//repo.git/git-receive-pack"],
    ["POST", "https://github.com/octo/.git/git-receive-pack"],
    ["POST", "https://github.com:8443/octo/repo.git/git-receive-pack"],
    ["POST", "https://me:secret@github.com/octo/repo.git/git-receive-pack"],
    ["POST", "https://127.0.0.1/octo/repo.git/git-receive-pack"],
    ["POST", "https://github.com/git-receive-pack"],
  ])("%s %s is none that a login could go with", (method, address) => {
    expect(readGitRequest(method, address)).toBeNull();
  });

  it("writes one address for a repository", () => {
    for (const form of ["https://github.com/octo/repo", "https://github.com/octo/repo.git", "https://GITHUB.com:443/octo/repo.git/"])
      expect(repositoryAddress(form)).toBe(repository);
    for (const other of ["https://github.com/octo/x/../repo2", "https://github.com/octo/Repo", "https://github.com.evil.net/octo/repo"])
      expect(repositoryAddress(other)).not.toBe(repository);
    for (const none of [
      "git@github.com:octo/repo",
      "ssh://git@github.com/octo/repo",
      "https://github.com/",
      "https://github.com/a/b?x",
      "x",
    ])
      expect(repositoryAddress(none)).toBeNull();
  });
});

describe("pkt-lines", () => {
  it("reads to the flush and gives back what came after it, however it was cut", async () => {
    const section = concat(pktLine("one\n"), pktLine("two"), FLUSH);
    const whole = concat(section, bytes("PACK…"));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const reader = stream(...at.slice(1).map((end, index) => whole.slice(at[index], end)));
        const read = await readSection(reader, 1_000);
        if (!read.ok) throw new Error(read.problem);
        expect(read.lines.map(text)).toEqual(["one\n", "two"]);
        expect(read.raw).toEqual(section);
        const rest: Uint8Array[] = [read.beyond];
        for (let next = await reader.read(); !next.done; next = await reader.read()) rest.push(next.value);
        expect(text(concat(...rest))).toBe("PACK…");
      }),
    );
  });

  it.each([
    ["", "cut_short"],
    ["00", "cut_short"],
    ["0009ab", "cut_short"],
    ["zzzz", "malformed"],
    ["0004", "malformed"],
    ["0001", "malformed"],
    ["0002", "malformed"],
    ["0003", "malformed"],
    ["-001", "malformed"],
    ["fff5", "malformed"],
    ["0x0a", "malformed"],
  ])("refuses %j as %s", async (input, problem) => {
    expect(await readSection(stream(bytes(input)), 1_000_000)).toEqual({ ok: false, problem });
  });

  it("stops at the limit without reading on", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(pktLine("x".repeat(1_000)));
      },
    });
    expect(await readSection(endless.getReader(), MAX_COMMAND_LIST_BYTES)).toEqual({ ok: false, problem: "too_large" });
    expect(pulled).toBeLessThan(80);
  });

  it("never throws on any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (input) => {
        const read = await readSection(stream(input), 100);
        if (read.ok) readPushList(read.lines);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("[GT1] a push", () => {
  const caps = "\0report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5";
  it("passes to the session's branches, made or moved", () => {
    expect(judge(`${ZERO} ${A} refs/heads/ai-dev/3f9k2m1x${caps}`)).toBe("ok");
    expect(judge(`${A} ${B} refs/heads/ai-dev/3f9k2m1x-fix-login${caps}\n`, `${A} ${B} refs/heads/ai-dev/3f9k2m1x/two\n`)).toBe("ok");
    expect(judge(`shallow ${A}`, `${ZERO} ${A} refs/heads/ai-dev/3f9k2m1x${caps}`)).toBe("ok");
    const long = "c".repeat(64);
    expect(judge(`${"0".repeat(64)} ${long} refs/heads/ai-dev/3f9k2m1x${caps}`)).toBe("ok");
  });

  it.each([
    ["main", `${A} ${B} refs/heads/main${caps}`],
    ["a branch that another session owns", `${A} ${B} refs/heads/ai-dev/other${caps}`],
    ["a tag", `${ZERO} ${A} refs/tags/ai-dev/3f9k2m1x${caps}`],
    ["a note", `${ZERO} ${A} refs/notes/ai-dev/3f9k2m1x${caps}`],
    ["a ref outside heads", `${ZERO} ${A} ai-dev/3f9k2m1x${caps}`],
    ["HEAD", `${A} ${B} HEAD${caps}`],
    ["another case", `${A} ${B} refs/heads/AI-DEV/3f9k2m1x${caps}`],
    ["a path that climbs", `${A} ${B} refs/heads/ai-dev/3f9k2m1x/../../main${caps}`],
    ["a lock file", `${A} ${B} refs/heads/ai-dev/3f9k2m1x.lock${caps}`],
    ["a dot part", `${A} ${B} refs/heads/ai-dev/3f9k2m1x/.git${caps}`],
    ["a delete of its own branch", `${A} ${ZERO} refs/heads/ai-dev/3f9k2m1x${caps}`],
    ["push options", `${A} ${B} refs/heads/ai-dev/3f9k2m1x${caps} push-options`],
  ])("is refused for %s", (_, line) => {
    expect(judge(line)).toBe("refused");
  });

  it("is refused whole when one of its commands is", () => {
    expect(judge(`${ZERO} ${A} refs/heads/ai-dev/3f9k2m1x${caps}`, `${A} ${B} refs/heads/main`)).toBe("refused");
    expect(judge(`${ZERO} ${A} refs/heads/ai-dev/3f9k2m1x${caps}`, `${A} ${ZERO} refs/heads/release`)).toBe("refused");
  });

  it.each([
    ["signed", "push-cert\0report-status"],
    ["short ids", `${A.slice(1)} ${B} refs/heads/ai-dev/3f9k2m1x${caps}`],
    ["upper-case ids", `${A.toUpperCase()} ${B} refs/heads/ai-dev/3f9k2m1x${caps}`],
    ["two names", `${A} ${B} refs/heads/ai-dev/3f9k2m1x refs/heads/main${caps}`],
    ["two capability lists", `${A} ${B} refs/heads/ai-dev/3f9k2m1x\0a\0b`],
    ["a tab", `${A}\t${B} refs/heads/main${caps}`],
    ["nothing", ""],
  ])("is not read when it is %s", (_, line) => {
    expect(judge(line)).toBe("unreadable");
  });

  it("is not read with capabilities on a later line, a late shallow line, or too many commands", () => {
    const command = `${A} ${B} refs/heads/ai-dev/3f9k2m1x`;
    expect(judge(command + caps, command + caps)).toBe("unreadable");
    expect(judge(command + caps, `shallow ${A}`)).toBe("unreadable");
    expect(judge(...Array.from({ length: 51 }, () => command))).toBe("unreadable");
    expect(readPushList([Uint8Array.of(0xff, 0xfe)])).toBeNull();
  });

  it("matches branches exactly or by prefix", () => {
    expect(matchesBranch("feature", "feature")).toBe(true);
    expect(matchesBranch("feature", "feature2")).toBe(false);
    expect(matchesBranch("*", "main")).toBe(false);
    expect(matchesBranch("", "")).toBe(false);
  });

  it("is refused in git's own words", () => {
    const read = list(`${A} ${B} refs/heads/main${caps}`);
    if (read === null) throw new Error("unreadable");
    const report = text(pushReport(read, "no") ?? new Uint8Array());
    expect(report).toContain("unpack ok");
    expect(report).toContain("ng refs/heads/main no");
    expect(pushReport({ ...read, capabilities: [] }, "no")).toBeNull();
    expect(text(pushReport({ ...read, capabilities: ["report-status"] }, "no") ?? new Uint8Array())).toBe(
      "000eunpack ok\n001ang refs/heads/main no\n0000",
    );
  });
});
