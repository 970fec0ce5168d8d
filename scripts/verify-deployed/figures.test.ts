import { expect, it } from "vitest";
import { KEY_PATTERN, line, percentile, speed, summary } from "./figures.ts";
import { parseOptions } from "./options.ts";
import { askToRun, canaryScript, EGRESS_PROBES, EGRESS_SCRIPT, readProbes } from "./probes.ts";

it("takes percentiles by nearest rank", () => {
  expect(percentile([5, 1, 3, 2, 4], 50)).toBe(3);
  expect(percentile([5, 1, 3, 2, 4], 95)).toBe(5);
  expect(percentile([7], 50)).toBe(7);
});

it("reads what scripts print, whatever stands around it", () => {
  const output = "warning: x\nPROBE web:https://example.com=closed\nPROBE tcp:1.1.1.1:53=open\r\nPROBE digest=ab\n";
  expect(Object.fromEntries(readProbes(output))).toEqual({ "web:https://example.com": "closed", "tcp:1.1.1.1:53": "open", digest: "ab" });
});

it("knows a key where it sees one, and not its own pattern in a transcript", () => {
  expect(KEY_PATTERN.test(`x-api-key: sk-ant-api03-${"a".repeat(40)}`)).toBe(true);
  expect(KEY_PATTERN.test(askToRun(canaryScript(true), true))).toBe(false);
});

it("tries as many ways out as it expects answers from", () => {
  const loops = [...EGRESS_SCRIPT.matchAll(/^for \w in (.*?); do/gm)].flatMap((match) => (match[1] ?? "").split(" "));
  const queries = EGRESS_SCRIPT.match(/print\("PROBE/g) ?? [];
  expect(loops.length + queries.length).toBe(EGRESS_PROBES);
});

it("says speed and counts in a line", () => {
  expect(speed(8_000_000, 2_000)).toBe("4.0 MB/s");
  const finding = { check: "egress", verdict: "skipped", detail: "not on a machine host" } as const;
  expect(line(finding)).toBe("n/a  egress: not on a machine host");
  expect(summary([finding])).toBe("0 as promised, 0 not, 0 known gaps, 1 not to be shown here");
});

it("asks for an address and for somebody to sign in as", () => {
  const who = { AIDEV_EMAIL: "mara@example.test", AIDEV_PASSWORD: "correct horse battery" };
  expect(parseOptions(["https://x.test/path"], who)).toMatchObject({ ok: true, options: { url: "https://x.test", starts: 5 } });
  expect(parseOptions([], who)).toMatchObject({ ok: false, exitCode: 2 });
  expect(parseOptions(["ftp://x.test"], who)).toMatchObject({ ok: false });
  expect(parseOptions(["https://x.test"], {})).toMatchObject({ ok: false, message: expect.stringContaining("AIDEV_EMAIL") as string });
});
