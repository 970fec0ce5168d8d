/**
 * `tokens`: API tokens that this computer made for its owner's programs. A new one's secret is alone on stdout, so that
 * `TOKEN=$(ai-dev-agent tokens create ci)` works; everything else about it goes beside. SPEC AT8.
 */
import {
  API_SCOPES,
  apiScopeSchema,
  apiTokenCreatedBodySchema,
  apiTokensBodySchema,
  MAX_MACHINE_MADE_TOKEN_DAYS,
  type ApiScope,
  type ApiTokenBody,
} from "@ai-dev-platform/protocol/api/access";
import * as z from "zod";
import { ask, type Asked } from "../machine/platform-api.ts";
import { answer, paint, plain, remark, reveal } from "../output.ts";
import { defineCommand, UserError, type Command, type Values } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION, toError } from "./signed-in.ts";

const OPTIONS = {
  scopes: { type: "string", value: "LIST", summary: `of a new token: ${API_SCOPES.join(",")} (default chat)` },
  expires: { type: "string", value: "DAYS", summary: `of a new token, ${MAX_MACHINE_MADE_TOKEN_DAYS} at most (the default)` },
  budget: { type: "string", value: "USD", summary: "what a new token may spend in all (default no limit of its own)" },
  server: SERVER_OPTION,
  data: DATA_OPTION,
  json: JSON_OPTION,
} as const;
type Options = Values<typeof OPTIONS>;

const ACTIONS = ["list", "create", "revoke"] as const;
type Action = (typeof ACTIONS)[number];

export const tokens: Command = {
  name: "tokens",
  summary: "API tokens made here: list, create NAME, revoke ID",
  options: OPTIONS,
  run: (words) => {
    const first = words.findIndex((word) => word.startsWith("-"));
    const [name = "list", target = "", ...more] = first === -1 ? words : words.slice(0, first);
    const action = ACTIONS.find((one) => one === name);
    if (action === undefined || more.length > 0 || (action === "list") !== (target === ""))
      throw new UserError("Say what to do: list, create NAME or revoke ID.", "See ai-dev-agent tokens --help.");
    return commandFor(action, target).run(first === -1 ? [] : words.slice(first));
  },
};

const commandFor = (action: Action, target: string): Command =>
  defineCommand({
    name: "tokens",
    summary: "",
    options: OPTIONS,
    run: async (values) => {
      if (action === "list") await list(values);
      else if (action === "create") await create(values, target);
      else await revoke(values, target);
      return EXIT.ok;
    },
  });

async function list(values: Options): Promise<void> {
  const told = await tell(values, "/machine/tokens", { schema: apiTokensBodySchema });
  if (values.json) return answer(JSON.stringify({ ok: true, tokens: told.tokens }));
  for (const token of told.tokens) answer(toText(token));
  if (told.tokens.length === 0) remark("No token was made on this computer. Make one: ai-dev-agent tokens create NAME");
  remark(paint("faint", "Tokens made in the browser are in Settings, API."));
}

async function create(values: Options, name: string): Promise<void> {
  const body = {
    name,
    scopes: readScopes(values.scopes),
    ...(values.expires === undefined ? {} : { expiresInDays: readNumber("expires", values.expires) }),
    ...(values.budget === undefined ? {} : { budgetUsd: readNumber("budget", values.budget) }),
  };
  const made = await tell(values, "/machine/tokens", { body, schema: apiTokenCreatedBodySchema });
  if (values.json) return reveal(JSON.stringify({ ok: true, ...made }));
  remark(`${toText(made)}\nIt is shown this once:`);
  reveal(made.token);
}

async function revoke(values: Options, tokenId: string): Promise<void> {
  await tell(values, `/machine/tokens/${encodeURIComponent(tokenId)}`, { method: "DELETE", schema: z.unknown() });
  if (values.json) answer(JSON.stringify({ ok: true, tokenId }));
  else answer("The token is revoked. What it held open ends within two seconds.");
}

async function tell<S extends z.ZodType>({ server, data }: Options, path: string, asked: Omit<Asked<S>, "token">): Promise<z.infer<S>> {
  const login = requireLogin(server, dataDirOf(data));
  const told = await ask(login.server, path, { ...asked, token: login.token });
  if (told.ok) return told.value;
  if (told.code === "not_found") throw new UserError("This computer made no such token.", "See ai-dev-agent tokens list.");
  throw toError(told, login.server);
}

function readScopes(text = "chat"): ApiScope[] {
  const words = text.split(",").map((word) => word.trim());
  const scopes = words.flatMap((word) => apiScopeSchema.safeParse(word).data ?? []);
  if (scopes.length === words.length) return scopes;
  throw new UserError(`--scopes "${text}" has a word that is no scope.`, `Choose among ${API_SCOPES.join(", ")}.`);
}

function readNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new UserError(`--${option} takes a number.`, "See ai-dev-agent tokens --help.");
}

function toText({ tokenId, name, last4, scopes, expiresAt, budgetUsd, spentUsd }: ApiTokenBody): string {
  const until = expiresAt === null ? "" : ` · until ${new Date(expiresAt).toISOString().slice(0, 10)}`;
  const budget = budgetUsd === null ? "" : ` of $${budgetUsd.toFixed(2)}`;
  return `${plain(name)}  …${last4}  ${paint("faint", `${scopes.join(",")}${until} · spent $${spentUsd.toFixed(2)}${budget}`)}\n  ${tokenId}`;
}
