/** Share links and bad input, over real sockets. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ShareCreatedBody, ShareViewBody, TicketBody } from "@ai-dev-platform/protocol/http";
import { WebSocket } from "ws";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, openViewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(() => platform?.stop());

it("[RO1, RO3] lets a link's viewer follow, refuses its acts, and cuts it off within 2 s of revocation", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const owner = await mara.view(session.sessionId);
  const share = await mara.json<ShareCreatedBody>("POST", `/api/sessions/${session.sessionId}/shares`, {});
  const friend = await signUp(platform.url, "Friend");
  const view = await friend.json<ShareViewBody>("POST", "/api/share/exchange", { shareId: share.shareId, secret: share.secret });
  expect(view).toMatchObject({ sessionId: session.sessionId, role: "viewer" });
  const { ticket } = await friend.json<TicketBody>("POST", `/api/share/${share.shareId}/ticket`, {});
  const guest = await openViewer(platform.url, session.sessionId, ticket);
  owner.prompt("SCENARIO=text-only");
  await guest.until("the model's words", () => find(guest, "text_written"));
  const refusedPrompt = guest.prompt("let me in");
  await guest.until("a refusal", () =>
    guest.frames.find((frame) => frame.type === "prompt_refused" && frame.promptId === refusedPrompt && frame.code === "forbidden"),
  );
  const startedAt = Date.now();
  await mara.request("DELETE", `/api/sessions/${session.sessionId}/shares/${share.shareId}`);
  expect(await guest.closed).toBe(4403);
  expect(Date.now() - startedAt).toBeLessThan(2_000);
  expect((await friend.request("POST", `/api/share/${share.shareId}/ticket`, {})).status).toBe(404);
  owner.close();
});

it("refuses a foreign Origin, a used ticket, a wrong version and a malformed frame, each in its own way", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const path = `${platform.url.replace("http", "ws")}/api/sessions/${session.sessionId}/socket`;
  const { ticket } = await mara.json<TicketBody>("POST", `/api/sessions/${session.sessionId}/ticket`, {});
  const foreign = new WebSocket(path, ["adp.v1", `ticket.${ticket}`], { origin: "https://evil.example" });
  expect(
    await new Promise((resolve) =>
      foreign.on("unexpected-response", (_request, response) => resolve(response.statusCode)).on("error", () => {}),
    ),
  ).toBe(403);
  const first = await openViewer(platform.url, session.sessionId, ticket);
  first.close();
  await expect(openViewer(platform.url, session.sessionId, ticket)).rejects.toThrow(/4401/);
  const closeCodeAfter = async (text: string) => {
    const fresh = await mara.json<TicketBody>("POST", `/api/sessions/${session.sessionId}/ticket`, {});
    const socket = new WebSocket(path, ["adp.v1", `ticket.${fresh.ticket}`], { origin: platform.url });
    socket.on("open", () => socket.send(text));
    return new Promise<number>((resolve) => socket.on("close", resolve));
  };
  expect(await closeCodeAfter('{"type":"hello","version":99,"afterSeq":null}')).toBe(4426);
  expect(await closeCodeAfter("nonsense")).toBe(4000);
});

it("answers bad input with a code from the table and a next step, and loses nothing", async () => {
  const codeOf = async (method: string, path: string, body: unknown) => {
    const response = await mara.request(method, path, body);
    return ((await response.json()) as { error: { code: string } }).error.code;
  };
  expect(await codeOf("POST", "/api/keys", { apiKey: "hello" })).toBe("key_format");
  expect(await codeOf("POST", "/api/keys", { apiKey: "sk-ant-admin01-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" })).toBe("key_admin");
  expect(await codeOf("POST", "/api/keys", { apiKey: "sk-ant-api03-revoked-00000000000000000000000000000000" })).toBe("key_invalid");
  expect(await codeOf("POST", "/api/projects", { source: { kind: "git", url: "javascript:alert(1)", branch: null } })).toBe("bad_request");
  expect(await codeOf("GET", `/api/sessions/${newId("session")}`, undefined)).toBe("not_found");
  const foreign = await mara.request("POST", "/api/projects", { source: { kind: "empty" } }, { origin: "https://evil.example" });
  expect(foreign.status).toBe(403);
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const tooLong = viewer.prompt("x".repeat(100_001));
  await viewer.until("a refusal", () => viewer.frames.find((frame) => frame.type === "prompt_refused" && frame.promptId === tooLong));
  viewer.close();
  const again = await mara.view(session.sessionId);
  expect(again.state().queue).toEqual([]);
  again.close();
});
