/**
 * The key and the tickets by which the person of this computer is signed in to their own platform. Whoever can read the key's
 * file is that person. A ticket is never on a command line, where every user of a computer can read it.
 */
import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** As long as the Worker takes one. A little less, so that no clock step makes it too long. */
const TICKET_TTL_MS = 55_000;

export function desktopKey(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, "desktop-key");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  chmodSync(file, 0o600);
  return readFileSync(file, "utf8");
}

export function newTicket(key: string, now: number): string {
  const head = `${now + TICKET_TTL_MS}.${randomBytes(16).toString("hex")}`;
  return `${head}.${createHmac("sha256", key).update(`desktop-ticket ${head}`).digest("hex")}`;
}

/** A page of this computer's own that leads to the app, signed in; readable by its person alone. */
export function writeOpeningPage(dataDir: string, url: string): string {
  const file = path.join(dataDir, "open.html");
  const target = JSON.stringify(`${url}/desktop#${newTicket(desktopKey(dataDir), Date.now())}`);
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><title>AI Dev Platform</title><script>location.replace(${target})</script>\n`, {
    mode: 0o600,
  });
  chmodSync(file, 0o600);
  return file;
}
