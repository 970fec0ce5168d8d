/** What the scripted providers of OpenAI's dialect answer, for comparing byte for byte. */
export const DIALECT_USAGE = {
  prompt_tokens: 1_000,
  completion_tokens: 200,
  total_tokens: 1_200,
  prompt_tokens_details: { cached_tokens: 400 },
};

/** With spaces and an order of its own, so that a re-serialised copy would differ. */
export const dialectAnswer = (model: string): string =>
  `{ "object":"chat.completion", "id" : "chatcmpl-1","created":1.0e3,\n"model":${JSON.stringify(model)}, "choices":[{"index":0,"message":{"role":"assistant","content":"gr\\u00fc\u00dfe \u2028 😀"},"finish_reason":"stop"}], "usage":${JSON.stringify({ ...DIALECT_USAGE, cost: 0.0123 })} }`;

export const dialectStream = (model: string, hasUsage: boolean): string => {
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", model, ...fields })}\r\n\r\n`;
  const text = (content: string) => chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  const usage = hasUsage ? chunk({ choices: [], usage: { ...DIALECT_USAGE, cost: 0.0123 } }) : "";
  return `: OPENROUTER PROCESSING\n\n${text("data: [DONE]")}${text("\r\u2028😀")}${text("x".repeat(400))}${usage}data: [DONE]\n\n`;
};
