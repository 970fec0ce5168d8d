import { describe, expect, it, vi } from "vitest";
import { runCli } from "../cli.ts";
import { defaultCapacity } from "../machine/limits.ts";
import { defineCommand, FatalError, UserError } from "./command.ts";
import { isLoopback } from "./signed-in.ts";
import { checkNode } from "./doctor.ts";

const seen: unknown[] = [];
const command = defineCommand({
  name: "try",
  summary: "a command",
  options: {
    who: { type: "string", summary: "a name", required: true },
    tag: { type: "string", summary: "tags", multiple: true },
    loud: { type: "boolean", summary: "louder" },
  },
  run: async (values) => {
    seen.push(values);
    if (values.who === "fatal") throw new FatalError("no disk");
    if (values.who === "user") throw new UserError("wrong", "do this");
    if (values.who === "bug") throw new TypeError("oops");
    return 0;
  },
});

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = vi.spyOn(console, "log").mockImplementation(() => {});
  const err = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    const code = await runCli(words, [command]);
    return { code, out: out.mock.calls.join("\n"), err: err.mock.calls.join("\n") };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe("the command line", () => {
  it("gives a command its values by type", async () => {
    expect(await cli("try", "--who", "me", "--tag", "a", "--tag", "b")).toMatchObject({ code: 0 });
    expect(seen.pop()).toEqual({ who: "me", tag: ["a", "b"], loud: false });
  });

  it("answers with an exit code for each kind of end", async () => {
    const codes = await Promise.all(["user", "fatal", "bug"].map(async (who) => (await cli("try", "--who", who)).code));
    expect(codes).toEqual([1, 2, 70]);
  });

  it("says what is wrong and what to do next", async () => {
    expect(await cli("nope")).toMatchObject({ code: 1, err: expect.stringContaining("--help") });
    expect(await cli("try")).toMatchObject({ code: 1, err: expect.stringContaining("--who is missing.") });
    expect(await cli("try", "--what")).toMatchObject({ code: 1, err: expect.stringContaining("'--what'") });
    expect(await cli("try", "--who", "user")).toMatchObject({ err: "wrong\ndo this" });
  });

  it("has help and a version", async () => {
    expect((await cli("--version")).out).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await cli("--help")).out).toContain("try  a command");
    expect((await cli("try", "--help")).out).toContain("--tag TEXT");
  });
});

it("knows this computer's own addresses", () => {
  expect(["localhost", "app.localhost", "127.0.0.1", "[::1]"].map(isLoopback)).toEqual(Array(4).fill(true));
  expect(["127.0.0.1.example.com", "example.com", "10.0.0.1", "localhost.example.com"].map(isLoopback)).toEqual(Array(4).fill(false));
});

it("runs more sessions where there is more memory, within bounds", () => {
  expect([1, 6.5, 64].map((gigabytes) => defaultCapacity(gigabytes * 1_073_741_824))).toEqual([4, 6, 16]);
});

it("knows which Node runs TypeScript as it is", () => {
  expect(["20.19.0", "22.17.9", "22.18.0", "24.0.0"].map((version) => checkNode(version, false).ok)).toEqual([false, false, true, true]);
  expect(["18.20.0", "20.10.0", "20.11.0", "22.1.0"].map((version) => checkNode(version, true).ok)).toEqual([false, false, true, true]);
});
