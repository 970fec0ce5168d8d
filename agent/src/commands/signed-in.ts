/** What the commands of a person's own machine share: which server, which login, and a refusal as words with the next step. */
import path from "node:path";
import type { Told } from "../machine/platform-api.ts";
import { lastServer, readLogin, type Login } from "../machine/login-store.ts";
import { defaultDataDir } from "../machine/server-dir.ts";
import { FatalError, UserError, type OptionSpec } from "./command.ts";
import { EXIT } from "./exit-codes.ts";

export const SERVER_OPTION = { type: "string", value: "URL", summary: "address of the platform (default the one used last)" } as const;
export const DATA_OPTION = {
  type: "string",
  value: "DIR",
  summary: "where this program keeps its files (default ~/.ai-dev-agent)",
} as const satisfies OptionSpec;
export const JSON_OPTION = { type: "boolean", summary: "the answer as JSON" } as const satisfies OptionSpec;

export const dataDirOf = (data: string | undefined): string => path.resolve(data ?? process.env["AI_DEV_AGENT_DATA"] ?? defaultDataDir());

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

export function readServer(text: string): URL {
  const next = "Give an address like http://localhost:4000 or https://dev.example.com.";
  if (!URL.canParse(text)) throw new UserError(`"${text}" is not an address.`, next);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new UserError("The address must begin with http:// or https://.", next);
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new UserError("Over the network the connection must be encrypted.", "Use https://.");
  return url;
}

/** The server that is named, or that was used last; null when there is none. */
export function serverOf(server: string | undefined, dataDir: string): string | null {
  return server === undefined ? lastServer(dataDir) : readServer(server).origin;
}

export function requireServer(server: string | undefined, dataDir: string): string {
  const found = serverOf(server, dataDir);
  if (found === null) throw new UserError("No server is known yet.", "Give its address with --server URL.");
  return found;
}

export function requireLogin(server: string | undefined, dataDir: string): Login {
  const address = requireServer(server, dataDir);
  const login = readLogin(dataDir, address);
  if (login !== null) return login;
  throw new UserError(`This computer is not signed in to ${address}.`, `Run ai-dev-agent login --server ${address}`, EXIT.notSignedIn);
}

/** A refusal as what ends the command. */
export function toError(told: Extract<Told<unknown>, { ok: false }>, server: string): Error {
  const detail = told.detail === null ? "" : ` (${told.detail})`;
  const message = `${told.message}${detail}`;
  switch (told.code) {
    case "unreachable":
    case "unavailable":
      return new UserError(message, "Check the address and the connection, then try again.", EXIT.unreachable);
    case "machine_token_refused":
      return new UserError(message, `Run ai-dev-agent login --server ${server}`, EXIT.notSignedIn);
    case "rate_limited":
      return new UserError(message, `Try again in ${Math.ceil((told.retryAfterMs ?? 60_000) / 1_000)} s.`, EXIT.unreachable);
    case "key_missing":
      return new UserError(message, `Add your API key in the browser: ${server}/settings/api-key`);
    case "not_found":
      return new UserError(message, "Check the id: it is in the address of the project's page.");
    case "login_denied":
      return new UserError(message, "Nothing was given to this computer. Run ai-dev-agent login again if that was a mistake.");
    case "login_expired":
      return new UserError(message, "Run ai-dev-agent login again.");
    default:
      return told.status >= 500 ? new FatalError(message) : new UserError(message, "See ai-dev-agent doctor.");
  }
}
