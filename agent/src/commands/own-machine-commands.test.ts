import { execFileSync } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { browserCommand } from "./browser.ts";
import { defineCommand, UserError } from "./command.ts";
import { completionOf } from "./completion.ts";
import { checkClock, readAuth } from "./doctor.ts";
import { unitFor } from "./service.ts";
import { readServer, toError } from "./signed-in.ts";

describe("where a browser is opened", () => {
  it.each([
    ["linux", { DISPLAY: ":0" }, "xdg-open"],
    ["linux", { WAYLAND_DISPLAY: "wayland-0" }, "xdg-open"],
    ["linux", {}, undefined],
    ["linux", { DISPLAY: ":10", SSH_CONNECTION: "a b c d" }, undefined],
    ["darwin", {}, "open"],
    ["darwin", { SSH_TTY: "/dev/ttys1" }, undefined],
    ["win32", {}, "rundll32"],
    ["linux", { BROWSER: "/usr/bin/firefox" }, "/usr/bin/firefox"],
    ["linux", { BROWSER: "firefox %s; rm -rf ." }, undefined],
  ] as const)("on %s with %j: %s", (platform, env, program) => {
    expect(browserCommand(platform, env)?.[0]).toBe(program);
  });
});

it("knows a clock that is off, and what claude says of its login", () => {
  expect([checkClock(1_000_000, 1_030_000).ok, checkClock(1_000_000, 1_090_000), checkClock(null, 5).ok]).toEqual([
    true,
    expect.objectContaining({ ok: false, found: "90 s ahead of the server's" }),
    true,
  ]);
  expect(readAuth('{"loggedIn":true,"authMethod":"oauth_token","email":"x@y.z"}')).toBe("signed in (oauth_token)");
  expect(readAuth('{"loggedIn":false}')).toContain("stored key");
  expect(readAuth("Unknown command")).toContain("not known");
});

describe("a unit that starts connect with the computer", () => {
  const command = ["/usr/bin/node", '/home/ma ra/100%/$x"y', "connect"];
  it("quotes what systemd and launchd would read as their own", () => {
    const unit = unitFor("linux", command, "/usr/bin:/bin");
    expect(unit.text).toContain(String.raw`ExecStart="/usr/bin/node" "/home/ma ra/100%%/$$x\"y" "connect"`);
    expect(unit.text).toContain("KillMode=process");
    expect(unitFor("darwin", ["/a & b <c>"], "").text).toContain("<string>/a &amp; b &lt;c&gt;</string>");
    const task = unitFor("win32", ["C:\\Program Files\\node.exe", "D:\\my data\\", 'say "yes"'], "").text;
    expect(task).toContain("<Command>C:\\Program Files\\node.exe</Command>");
    expect(task).toContain(String.raw`<Arguments>"D:\my data\\" "say \"yes\""</Arguments>`);
  });
});

describe("completion", () => {
  const command = defineCommand({
    name: "try",
    summary: "it's a command: really",
    options: { who: { type: "string", summary: "a 'name'" }, loud: { type: "boolean", summary: "louder" } },
    run: async () => 0,
  });
  const print = async (shell: string): Promise<string> => {
    const out = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      await completionOf(() => [command]).run([shell]);
      return out.mock.calls.join("\n");
    } finally {
      out.mockRestore();
    }
  };
  it("names each command and option in each shell's words", async () => {
    const bash = await print("bash");
    execFileSync("bash", ["-n"], { input: bash });
    expect(bash).toContain("--who --loud --help");
    expect(await print("zsh")).toContain(String.raw`'try:it'\''s a command\: really'`);
    expect(await print("fish")).toContain(String.raw`-l who -r -d 'a \'name\''`);
  });
  it("asks for a shell that it knows", async () => {
    await expect(print("tcsh")).rejects.toThrow(UserError);
    await expect(print("toString")).rejects.toThrow(UserError);
  });
});

it("refuses to send a token in the clear", () => {
  expect(readServer("http://localhost:4000/x").origin).toBe("http://localhost:4000");
  for (const bad of ["http://dev.example.com", "ftp://x", "dev.example.com", "http://127.0.0.1.evil.test"])
    expect(() => readServer(bad)).toThrow(UserError);
});

it("gives each refusal an exit code and a next step", () => {
  const told = (code: Parameters<typeof toError>[0]["code"], status: number) =>
    toError({ ok: false, status, code, message: "m", detail: null, retryAfterMs: null }, "https://a.test");
  expect(told("unreachable", 0)).toMatchObject({ exitCode: 4 });
  expect(told("machine_token_refused", 401)).toMatchObject({ exitCode: 3, next: "Run ai-dev-agent login --server https://a.test" });
  expect(told("login_denied", 403)).toMatchObject({ exitCode: 1 });
  expect(told("internal", 500)).not.toHaveProperty("exitCode");
});
