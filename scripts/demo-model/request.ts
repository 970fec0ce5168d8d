/** Reads a Messages API request, tolerantly: real clients add fields and roles at any time. */
import * as z from "zod";

const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).optional(),
});
const contentSchema = z.union([z.string(), z.array(blockSchema)]);

export const requestSchema = z.looseObject({
  model: z.string().default("scripted"),
  stream: z.boolean().default(false),
  system: contentSchema.optional(),
  tools: z.array(z.looseObject({ name: z.string().optional() })).default([]),
  messages: z.array(z.looseObject({ role: z.string(), content: contentSchema })).default([]),
  output_config: z.looseObject({ format: z.looseObject({ type: z.string() }).optional() }).optional(),
});
export type ModelRequest = z.infer<typeof requestSchema>;
export type RequestBlock = z.infer<typeof blockSchema>;

export const blocksOf = (content: string | RequestBlock[] | undefined): RequestBlock[] =>
  content === undefined ? [] : typeof content === "string" ? [{ type: "text", text: content }] : content;

/** The text of a tool result, whichever way it is written. */
export function resultText(block: RequestBlock): string {
  if (block.content === undefined) return "";
  return typeof block.content === "string" ? block.content : block.content.map((part) => part.text ?? "").join("");
}
