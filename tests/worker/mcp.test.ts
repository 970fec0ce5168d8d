import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import type { McpServerBody } from "@ai-dev-platform/protocol/http";
import { d1RunnerSettings } from "../../worker/keys/runner-settings.ts";
import { signUp, type AppClient } from "../support/worker/app-client.ts";

const HTTP = {
  transport: "http",
  name: "tracker",
  url: "https://tools.example.test/mcp?account=SECRETQUERY",
  headers: { Authorization: "Bearer SECRETHEADER" },
};
const STDIO = {
  transport: "stdio",
  name: "files",
  command: "npx",
  args: ["-y", "server", "--token=SECRETARG"],
  env: { TOKEN: "SECRETENV" },
};
const settings = d1RunnerSettings(env);

let client: AppClient;
beforeEach(async () => {
  client = await signUp();
});

describe("tool servers", () => {
  it("come in whole, are shown without values, and reach the runner whole", async () => {
    const http = await client.json<McpServerBody>("POST", "/api/mcp", HTTP);
    const stdio = await client.json<McpServerBody>("POST", "/api/mcp", STDIO);
    expect(http).toMatchObject({
      name: "tracker",
      transport: "http",
      target: "https://tools.example.test/mcp",
      secretNames: ["Authorization"],
    });
    expect(stdio).toMatchObject({ name: "files", transport: "stdio", target: "npx", secretNames: ["TOKEN"] });
    expect(await client.json("GET", "/api/mcp")).toEqual({ servers: [http, stdio] });
    expect(await settings.mcpServers(client.userId)).toEqual([HTTP, STDIO]);
  });

  it("leave no value readable in the database or in an answer", async () => {
    const answers = [
      await client.send("POST", "/api/mcp", HTTP),
      await client.send("POST", "/api/mcp", STDIO),
      await client.send("POST", "/api/mcp", STDIO),
      await client.send("GET", "/api/mcp"),
    ];
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const rows = await env.DB.prepare("SELECT * FROM mcp_servers").all();
    const decoded = JSON.stringify(rows.results, (_, value: unknown) =>
      Array.isArray(value) && typeof value[0] === "number" ? String.fromCharCode(...value.map(Number)) : value,
    );
    expect(texts.join() + decoded).not.toContain("SECRET");
  });

  it("have one name each for a user; another user may use it too", async () => {
    await client.json("POST", "/api/mcp", HTTP);
    const again = await client.send("POST", "/api/mcp", HTTP);
    expect([again.status, (await again.json<ErrorBody>()).error.code]).toEqual([409, "conflict"]);
    const other = await signUp("Other");
    expect((await other.send("POST", "/api/mcp", HTTP)).status).toBe(201);
  });

  it("belong to their user", async () => {
    const { mcpId } = await client.json<McpServerBody>("POST", "/api/mcp", HTTP);
    const other = await signUp("Other");
    expect(await other.json("GET", "/api/mcp")).toEqual({ servers: [] });
    expect((await other.send("DELETE", `/api/mcp/${mcpId}`)).status).toBe(404);
    expect((await client.send("DELETE", `/api/mcp/${mcpId}`)).status).toBe(204);
    expect(await settings.mcpServers(client.userId)).toEqual([]);
  });

  it("that do not open are left out, the others still work", async () => {
    const { mcpId } = await client.json<McpServerBody>("POST", "/api/mcp", HTTP);
    await client.json("POST", "/api/mcp", STDIO);
    await env.DB.prepare("UPDATE mcp_servers SET data_ct = x'00' WHERE mcp_id = ?").bind(mcpId).run();
    expect(await settings.mcpServers(client.userId)).toEqual([STDIO]);
  });

  it.each([
    ["credentials in the address", { ...HTTP, url: "https://user:pass@tools.example.test" }],
    ["a file address", { ...HTTP, url: "file:///etc/passwd" }],
    ["a script address", { ...HTTP, url: "javascript:alert(1)" }],
    ["a header with a line end", { ...HTTP, headers: { a: "b\r\nc: d" } }],
    ["a header name with a space", { ...HTTP, headers: { "a b": "c" } }],
    ["an unknown field", { ...HTTP, userId: "victim" }],
    ["a name with a slash", { ...HTTP, name: "../x" }],
    ["another transport", { ...HTTP, transport: "ws" }],
  ])("are refused with %s", async (_, body) => {
    expect((await client.send("POST", "/api/mcp", body)).status).toBe(400);
  });
});
