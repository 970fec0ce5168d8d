import { expect, it } from "vitest";
import { AppError } from "../errors.ts";
import { readAgentRequest } from "./agent-request.ts";
import { chatRequestSchema } from "./request.ts";

const SESSION = `ses_${"0".repeat(26)}`;
const read = (body: Record<string, unknown>, header: string | null = null) =>
  readAgentRequest(chatRequestSchema.parse({ model: "agent", messages: [{ role: "user", content: "do it" }], ...body }), header);

function refusal(body: Record<string, unknown>, header: string | null = null): { code: string; param: string | undefined } {
  try {
    read(body, header);
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error("it was taken");
}

const CONVERSATION = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "first" },
  { role: "assistant", content: "one" },
  { role: "user", content: "second" },
  { role: "assistant", content: [{ type: "text", text: "two" }] },
  { role: "user", content: "third" },
];

it("[CA25] gives a known session what came after the last answer alone", () => {
  const given = read({ messages: CONVERSATION, metadata: { session_id: SESSION } });
  expect(given).toMatchObject({ sessionId: SESSION, prompt: "third", title: "third", approvals: "deny", toolProgress: "off" });
  expect(read({ messages: CONVERSATION }, SESSION).prompt).toBe("third");
});

it("[CA25] tells a new session the instructions and the turns before as quotation", () => {
  const { prompt, sessionId } = read({ messages: CONVERSATION });
  expect(sessionId).toBeNull();
  expect(prompt).toBe(
    "<instructions>\nBe brief.\n</instructions>\n\n<earlier-conversation>\nUser: first\n\nAssistant: one\n\nUser: second\n\nAssistant: two\n</earlier-conversation>\n\nthird",
  );
});

it("keeps the newest of long earlier turns", () => {
  const turns = Array.from({ length: 30 }, (_, index) => [
    { role: "user", content: `question ${index} ${"x".repeat(2_000)}` },
    { role: "assistant", content: `answer ${index}` },
  ]).flat();
  const { prompt } = read({ messages: [...turns, { role: "user", content: "now" }] });
  expect(prompt.length).toBeLessThan(45_000);
  expect(prompt).toContain("(Earlier turns are left out.)");
  expect(prompt).toContain("answer 29");
  expect(prompt).not.toContain("question 1 ");
});

it("takes several messages and parts as one prompt, and what is not text beside it", () => {
  const given = read({
    messages: [
      { role: "user", content: "a" },
      {
        role: "user",
        content: [
          { type: "text", text: "b" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
        ],
      },
    ],
  });
  expect(given).toMatchObject({ prompt: "a\n\nb", attached: [{ url: "data:image/png;base64,AA==", param: "messages[1].content[1]" }] });
});

it("[CA27] refuses by name what an agent cannot do", () => {
  const tool = { type: "function", function: { name: "f", parameters: {} } };
  expect(refusal({ tools: [tool] })).toEqual({ code: "bad_request", param: "tools" });
  expect(refusal({ tool_choice: "required" })).toEqual({ code: "bad_request", param: "tool_choice" });
  expect(refusal({ response_format: { type: "json_object" } })).toEqual({ code: "bad_request", param: "response_format" });
  expect(refusal({ stop: ["x"] })).toEqual({ code: "bad_request", param: "stop" });
  expect(refusal({ messages: [{ role: "assistant", content: "I" }] })).toEqual({ code: "bad_request", param: "messages" });
  expect(refusal({ messages: [{ role: "tool", content: "I", tool_call_id: "1" }] })).toEqual({ code: "bad_request", param: "messages[0]" });
  expect(refusal({ metadata: { approvals: "ask" } })).toEqual({ code: "bad_request", param: "metadata.approvals" });
  expect(refusal({ metadata: { tool_progress: "loud" } })).toEqual({ code: "bad_request", param: "metadata.tool_progress" });
  expect(refusal({ metadata: { session_id: "mine" } })).toEqual({ code: "not_found", param: "metadata.session_id" });
  expect(refusal({ metadata: { session_id: SESSION } }, `ses_${"1".repeat(26)}`)).toEqual({
    code: "bad_request",
    param: "metadata.session_id",
  });
  expect(refusal({ messages: [{ role: "user", content: "x".repeat(100_001) }] })).toEqual({ code: "too_large", param: "messages" });
});

it("takes what asks for nothing", () => {
  const asked = { tools: [], tool_choice: "auto", response_format: { type: "text" }, stop: [], temperature: 0.2, max_tokens: 5, seed: 1 };
  expect(read({ ...asked, n: 1 }).prompt).toBe("do it");
});
