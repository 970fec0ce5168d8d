import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import type { AllowedHostBody, GitCredentialBody } from "@ai-dev-platform/protocol/http";
import { d1AllowedHosts } from "../../../worker/db/allowed-hosts.ts";
import { lendGitLogin } from "../../../worker/egress/git-logins.ts";
import { clearUpstreamLog, fetchApp, signUp, upstreamLog, type AppClient } from "../../support/worker/app-client.ts";

const HOST = "git.example.com";
const GOOD = `good-canary-${crypto.randomUUID()}`;
const body = (patch: Record<string, unknown> = {}) => ({ host: HOST, secret: GOOD, repository: `https://${HOST}/octo/repo.git`, ...patch });

let client: AppClient;
beforeEach(async () => {
  client = await signUp();
  await clearUpstreamLog();
});

const add = (patch: Record<string, unknown> = {}) => client.json<GitCredentialBody>("POST", "/api/git-credentials", body(patch));
const problem = async (patch: Record<string, unknown>) => {
  const answer = await client.send("POST", "/api/git-credentials", body(patch));
  const { error } = await answer.json<ErrorBody>();
  return [answer.status, error.code];
};
const lend = (host = HOST, userId = client.userId) => lendGitLogin(env, userId, host, (work) => void work);
const hosts = async () => (await client.json<{ hosts: AllowedHostBody[] }>("GET", "/api/allowed-hosts")).hosts.map(({ host }) => host);

describe("Git logins", () => {
  it("come in once, are checked with their host, and go out as four characters", async () => {
    const stored = await add();
    expect(stored).toMatchObject({ host: HOST, username: "git", last4: GOOD.slice(-4), lastUsedAt: null });
    expect(await client.json("GET", "/api/git-credentials")).toEqual({ credentials: [stored] });
    const [check] = await upstreamLog();
    expect(check).toMatchObject({ method: "GET", url: `https://${HOST}/octo/repo.git/info/refs?service=git-upload-pack` });
    const login = await lend();
    expect([login?.username, login?.secret.reveal()]).toEqual(["git", GOOD]);
    expect(JSON.stringify(login)).not.toContain(GOOD);
  });

  it("leave nothing readable in the database or in an answer", async () => {
    const answers = [
      await client.send("POST", "/api/git-credentials", body()),
      await client.send("POST", "/api/git-credentials", body({ secret: `${GOOD} with spaces` })),
      await client.send("POST", "/api/git-credentials", body({ unknown: GOOD })),
      await client.send("POST", "/api/git-credentials", body({ repository: `https://${HOST}/octo/repo.git?${GOOD}` })),
      await client.send("GET", "/api/git-credentials"),
    ];
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const rows = await env.DB.prepare("SELECT * FROM git_credentials").all();
    const decoded = JSON.stringify(rows.results, (_, value: unknown) =>
      Array.isArray(value) && typeof value[0] === "number" ? String.fromCharCode(...value.map(Number)) : value,
    );
    expect(texts.join() + decoded).not.toContain(GOOD);
  });

  it("are one for each host; a new one takes the place of the old", async () => {
    await add();
    const second = await add({ secret: `${GOOD}-2`, username: "mara" });
    expect(await client.json("GET", "/api/git-credentials")).toEqual({ credentials: [second] });
    expect((await lend())?.secret.reveal()).toBe(`${GOOD}-2`);
  });

  it("are refused when the host refuses them, cannot be asked, or sends the question elsewhere", async () => {
    expect(await problem({ secret: "wrong" })).toEqual([422, "git_login_refused"]);
    expect(await problem({ secret: "away-good" })).toEqual([502, "git_login_unverified"]);
    expect((await upstreamLog()).some(({ url }) => url.includes("evil"))).toBe(false);
    expect(await client.json("GET", "/api/git-credentials")).toEqual({ credentials: [] });
  });

  it("ask GitHub who the token belongs to when no repository is named", async () => {
    const stored = await add({ host: "github.com", repository: undefined });
    expect(stored).toMatchObject({ host: "github.com", username: "x-access-token" });
    expect((await upstreamLog())[0]?.url).toBe("https://api.github.com/user");
  });

  it.each([
    ["a host without a repository to ask about", { repository: undefined }, 400],
    ["a repository on another host", { repository: "https://other.example.com/octo/repo" }, 400],
    ["a repository over http", { repository: `http://${HOST}/octo/repo` }, 400],
    ["a private name", { host: "git.corp.internal", repository: "https://git.corp.internal/o/r" }, 403],
    ["an address", { host: "10.0.0.8", repository: "https://10.0.0.8/o/r" }, 400],
    ["another port", { repository: `https://${HOST}:8443/octo/repo` }, 400],
    ["a secret that breaks a header", { secret: "good\r\nx: y" }, 400],
    ["a user name with a colon", { username: "a:b" }, 400],
  ])("refuse %s, and ask nobody", async (_, patch, status) => {
    expect((await problem(patch))[0]).toBe(status);
    expect(await upstreamLog()).toEqual([]);
  });

  it("belong to their user and host: a moved row does not open", async () => {
    const { credentialId } = await add();
    const other = await signUp("Noor");
    expect((await other.send("DELETE", `/api/git-credentials/${credentialId}`)).status).toBe(404);
    expect(await lend(HOST, other.userId)).toBeNull();
    await env.DB.prepare("UPDATE git_credentials SET host = 'evil.example.com' WHERE credential_id = ?").bind(credentialId).run();
    expect(await lend("evil.example.com")).toBeNull();
    await env.DB.prepare("UPDATE git_credentials SET host = ?, user_id = ? WHERE credential_id = ?")
      .bind(HOST, other.userId, credentialId)
      .run();
    expect(await lend(HOST, other.userId)).toBeNull();
  });

  it("are gone when removed", async () => {
    const { credentialId } = await add();
    expect((await client.send("DELETE", `/api/git-credentials/${credentialId}`)).status).toBe(204);
    expect(await lend()).toBeNull();
    expect((await client.send("DELETE", `/api/git-credentials/${credentialId}`)).status).toBe(404);
  });
});

describe("hosts that are always allowed", () => {
  it("are put, listed, seen by sessions and removed; another user has none of them", async () => {
    for (const host of ["example.com", "*.example.org", "example.com"]) await client.json("PUT", `/api/allowed-hosts/${host}`);
    expect(await hosts()).toEqual(["*.example.org", "example.com"]);
    expect(await d1AllowedHosts(env.DB).list(client.userId)).toEqual(["*.example.org", "example.com"]);
    expect(await d1AllowedHosts(env.DB).list((await signUp("Noor")).userId)).toEqual([]);
    expect((await client.send("DELETE", "/api/allowed-hosts/example.com")).status).toBe(204);
    expect((await client.send("DELETE", "/api/allowed-hosts/example.com")).status).toBe(404);
    await d1AllowedHosts(env.DB).add(client.userId, "api.example.com");
    expect(await hosts()).toEqual(["*.example.org", "api.example.com"]);
  });

  it.each([
    ["10.0.0.1", 400],
    ["localhost", 400],
    ["*", 400],
    ["*.com", 400],
    ["Example.com", 400],
    ["example.com:8080", 400],
    ["db.corp.internal", 403],
    ["*.internal", 400],
    ["127.0.0.1.nip.io", 403],
  ])("%s can not be one", async (host, status) => {
    expect((await client.send("PUT", `/api/allowed-hosts/${encodeURIComponent(host)}`)).status).toBe(status);
    expect(await hosts()).toEqual([]);
  });

  it("are at most a hundred", async () => {
    const many = Array.from({ length: 100 }, (_, n) => `h${n}.example.com`);
    await env.DB.batch(many.map((host) => env.DB.prepare("INSERT INTO allowed_hosts VALUES (?, ?, 0)").bind(client.userId, host)));
    expect((await client.send("PUT", "/api/allowed-hosts/one-more.example.com")).status).toBe(400);
    expect((await client.send("PUT", "/api/allowed-hosts/h1.example.com")).status).toBe(200);
  });
});

describe("without sign-in", () => {
  it.each([
    ["GET", "/api/allowed-hosts"],
    ["PUT", "/api/allowed-hosts/example.com"],
    ["DELETE", "/api/allowed-hosts/example.com"],
    ["GET", "/api/git-credentials"],
    ["DELETE", "/api/git-credentials/gcr_x"],
  ])("%s %s is closed", async (method, path) => {
    expect((await fetchApp(path, { method, headers: { origin: "http://app.test" } })).status).toBe(401);
  });
});
