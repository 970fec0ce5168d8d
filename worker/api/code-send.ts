/** Sending a message with all that comes with it: files first, then the words (SPEC CA24, CA28). */
import type { codeMessageCreateSchema } from "@ai-dev-platform/protocol/api/code";
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { MAX_PROMPT_CHARS } from "@ai-dev-platform/protocol/limits";
import type * as z from "zod";
import { AppError } from "../errors.ts";
import { attachmentsOf, batchesOf, withAttached, writeBatches, type AttachedUrl } from "./attachments.ts";
import type { ApiCaller } from "./caller.ts";
import { submitMessage, type MessagePlace } from "./code-message.ts";

type Content = z.infer<typeof codeMessageCreateSchema>["content"];

export interface SentContent {
  text: string;
  attached: AttachedUrl[];
  files: Readonly<Record<string, string>>;
}

export interface SentMessage extends SentContent {
  sessionId: string;
  messageId: string;
  approvals: ApprovalPolicy;
  thread?: string | undefined;
}

/** Text parts in their order; images beside them. */
export function wishOfContent(content: Content, files: Readonly<Record<string, string>> = {}): SentContent {
  if (typeof content === "string") return { text: content, attached: [], files };
  const texts = content.flatMap((part) => (part.type === "text" && part.text.trim() !== "" ? [part.text] : []));
  const attached = content.flatMap((part, index) =>
    part.type === "image_url" ? [{ url: part.image_url.url, name: null, param: `content[${index}]` }] : [],
  );
  if (texts.length === 0 && attached.length === 0)
    throw new AppError("bad_request", { param: "content", detail: "content: nothing is in it" });
  return { text: texts.join("\n\n").trim(), attached, files };
}

/** Resolves when it is durable. Files alone, without words, are only written. */
export async function sendMessage(env: Env, caller: ApiCaller, message: SentMessage, signal: AbortSignal): Promise<MessagePlace> {
  const { sessionId, messageId, approvals, thread, files } = message;
  const attachments = attachmentsOf(message.attached, messageId);
  const text = withAttached(message.text, attachments);
  if (text.length > MAX_PROMPT_CHARS) throw new AppError("too_large", { param: "content" });
  await writeBatches(env, caller, { sessionId, messageId }, batchesOf(files, attachments), signal);
  if (text === "") return { sessionId, messageId, seq: 0 };
  return submitMessage(env, caller, sessionId, { messageId, text, approvals, thread });
}
