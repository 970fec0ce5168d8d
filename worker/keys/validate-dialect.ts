/**
 * Asks providers that speak OpenAI's dialect about a key. Nothing of their answers passes but names of models, each checked.
 * OpenRouter's list of models is public, so a key is asked about by itself there; a custom server may have no list at all.
 */
import * as z from "zod";
import { KEY_CHECK_TIMEOUT_MS } from "../config.ts";
import { isListable, isOpenAiChatModel } from "../llm/read-model-name.ts";
import { readAtMost } from "../middleware/body.ts";
import { isDialectCreditProblem } from "./credit.ts";
import type { Secret } from "./secret.ts";
import type { KeyCheck } from "./validate.ts";

/** OpenRouter describes several hundred models at length. */
const MAX_ANSWER_BYTES = 8 * 1_048_576;
/** Kept for menus. OpenRouter's are the most. */
const MAX_LISTED = 500;

const listSchema = z.object({ data: z.array(z.object({ id: z.string() })) });
const routerKeySchema = z.object({
  data: z.object({
    limit_remaining: z.number().nullish(),
    is_provisioning_key: z.boolean().nullish(),
    is_management_key: z.boolean().nullish(),
  }),
});

interface Answer {
  status: number;
  text: string;
}

/** Null: it could not be reached, said nothing in time, or answered more than anybody needs. */
async function ask(url: string, apiKey: Secret<string>): Promise<Answer | null> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${apiKey.reveal()}`, accept: "application/json", "accept-encoding": "identity" },
      redirect: "manual",
      signal: AbortSignal.timeout(KEY_CHECK_TIMEOUT_MS),
    });
    const bytes = await readAtMost(response, MAX_ANSWER_BYTES);
    return bytes === null ? null : { status: response.status, text: new TextDecoder().decode(bytes) };
  } catch {
    return null;
  }
}

function parse<T extends z.ZodType>(schema: T, text: string): z.output<T> | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function judge(answer: Answer | null): Exclude<KeyCheck, { outcome: "ok" }> {
  if (answer === null) return { outcome: "unreachable" };
  if (isDialectCreditProblem(answer.status, answer.text)) return { outcome: "no_credit" };
  return { outcome: answer.status === 401 || answer.status === 403 ? "invalid" : "unreachable" };
}

const namesIn = (text: string, isKept: (name: string) => boolean): string[] | null =>
  parse(listSchema, text)
    ?.data.map(({ id }) => id)
    .filter(isKept)
    .slice(0, MAX_LISTED) ?? null;

export async function checkOpenAi(apiKey: Secret<string>, upstream: string): Promise<KeyCheck> {
  const answer = await ask(`${upstream}/models`, apiKey);
  const models = answer?.status === 200 ? namesIn(answer.text, isOpenAiChatModel) : null;
  if (models !== null) return { outcome: "ok", models };
  // A key that may chat but not list is a good key.
  if (answer?.status === 403 && /missing scopes/i.test(answer.text)) return { outcome: "ok", models: [] };
  return judge(answer);
}

export async function checkOpenRouter(apiKey: Secret<string>, upstream: string): Promise<KeyCheck> {
  const answer = await ask(`${upstream}/key`, apiKey);
  const about = answer?.status === 200 ? parse(routerKeySchema, answer.text)?.data : undefined;
  if (about === undefined) return judge(answer);
  if (about.is_management_key === true || about.is_provisioning_key === true)
    return { outcome: "invalid", detail: "It manages other keys and answers no questions. Make an ordinary one." };
  if (typeof about.limit_remaining === "number" && about.limit_remaining <= 0)
    return { outcome: "no_credit", detail: "The key's own limit at OpenRouter is used up." };
  const list = await ask(`${upstream}/models`, apiKey);
  return { outcome: "ok", models: (list?.status === 200 ? namesIn(list.text, isListable) : null) ?? [] };
}

/** Answers of a server that has no list of models. */
const NO_LIST = new Set([404, 405, 501]);

export async function checkCustom(apiKey: Secret<string>, baseUrl: string): Promise<KeyCheck> {
  const answer = await ask(`${baseUrl}/models`, apiKey);
  if (answer !== null && NO_LIST.has(answer.status)) return { outcome: "ok", models: [] };
  if (answer?.status === 200) {
    const models = namesIn(answer.text, isListable);
    // A web page answers 200 to anything.
    return models === null
      ? { outcome: "unreachable", detail: "What answers at that address does not speak OpenAI's dialect." }
      : { outcome: "ok", models };
  }
  return judge(answer);
}
