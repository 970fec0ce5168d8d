import { expect, it } from "vitest";
import { startOf, startQuestion } from "../runner/process-group.ts";
import { familyOf, parsePs, parseWindows } from "./process-table.ts";

it("reads the list of processes as ps gives it, without the dead", () => {
  expect(parsePs("    1     0     1 Ss\n  501     1   501 S+\n  502   501   501 Z\n\n")).toEqual([
    { pid: 1, parentPid: 0, groupId: 1 },
    { pid: 501, parentPid: 1, groupId: 501 },
  ]);
});

it("reads the list of Windows, and knows a parent's number that was given again", () => {
  const table = parseWindows("4 0 100\r\n900 4 200\r\n901 900 300\r\n902 901 400\r\n903 950 250\r\n950 4 500\r\n");
  expect(table.find((row) => row.pid === 903)?.parentPid).toBe(0);
  const self = { pid: 4, parentPid: 0, groupId: 4 };
  expect([...familyOf(table, new Set([900]), self)].toSorted()).toEqual([900, 901, 902]);
});

it("asks each system when a process started, in words that stay the same", () => {
  expect(startQuestion("darwin", 7)).toEqual(["ps", ["-o", "lstart=", "-p", "7"]]);
  expect(startQuestion("win32", 7)[1].at(-1)).toBe("(Get-Process -Id 7).StartTime.ToFileTimeUtc()");
  expect(startOf(process.pid)).toBe(startOf(process.pid));
});
