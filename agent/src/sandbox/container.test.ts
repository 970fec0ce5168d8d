/** What stands around the runner in a container: the authority of the network, and the port that says it is up. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trustAuthority } from "./certificate.ts";
import { openFrontDoor } from "./front-door.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), "adp-trust-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the certificate authority", () => {
  it("is trusted once, beside those that were", async () => {
    const files = { authority: path.join(folder, "ca.crt"), bundle: path.join(folder, "all.crt") };
    writeFileSync(files.authority, "NEW\n");
    writeFileSync(files.bundle, "OLD\n");
    expect(await trustAuthority(files)).toBe(true);
    expect(await trustAuthority(files)).toBe(true);
    expect(readFileSync(files.bundle, "utf8").split("\n").filter(Boolean)).toEqual(["OLD", "NEW"]);
  });

  it("is missed when it does not come", async () => {
    expect(await trustAuthority({ authority: path.join(folder, "none"), bundle: path.join(folder, "all.crt") }, 0)).toBe(false);
  });
});

describe("the front door", () => {
  it("says that the container is up, whatever is asked, and carries nothing out", async () => {
    const door = await openFrontDoor(0);
    const address = `http://127.0.0.1:${door.port}`;
    expect(await (await fetch(`${address}/ping`)).text()).toBe("up\n");
    const asked = await fetch(`${address}/api/execute`, { method: "POST", body: JSON.stringify({ command: "id" }) });
    expect(await asked.text()).toBe("up\n");
    const socket = net.connect(door.port, "127.0.0.1");
    socket.write("GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const closed = await new Promise((resolve) => socket.once("close", () => resolve(true)).resume());
    expect(closed).toBe(true);
    door.close();
  });
});
