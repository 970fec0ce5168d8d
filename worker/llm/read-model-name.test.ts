import { describe, expect, it } from "vitest";
import { isModelOf, isOpenAiChatModel, readModelName } from "./read-model-name.ts";

const PROJECT = "prj_0123456789abcdefghjkmnpqrs";
const model = (provider: string, name: string) => ({ kind: "model", provider, model: name });

describe("[MP4] a model's name", () => {
  it.each<[string, unknown]>([
    ["claude-sonnet-5", model("anthropic", "claude-sonnet-5")],
    ["claude-haiku-4-5-20251001", model("anthropic", "claude-haiku-4-5-20251001")],
    ["sonnet", model("anthropic", "claude-sonnet-5")],
    ["anthropic/opus", model("anthropic", "claude-opus-5-5")],
    ["gpt-4o", model("openai", "gpt-4o")],
    ["o3", model("openai", "o3")],
    ["o4-mini", model("openai", "o4-mini")],
    ["chatgpt-4o-latest", model("openai", "chatgpt-4o-latest")],
    ["ft:gpt-4o-mini-2024-07-18:me::abc", model("openai", "ft:gpt-4o-mini-2024-07-18:me::abc")],
    ["openai/anything", model("openai", "anything")],
    ["openrouter/google/gemini-3-pro", model("openrouter", "google/gemini-3-pro")],
    ["openrouter/anthropic/claude-sonnet-5", model("openrouter", "anthropic/claude-sonnet-5")],
    ["openrouter/meta/llama:free", model("openrouter", "meta/llama:free")],
    ["openrouter/auto", model("openrouter", "openrouter/auto")],
    ["openrouter/openrouter/auto", model("openrouter", "openrouter/auto")],
    ["custom/llama3.1:8b", model("custom", "llama3.1:8b")],
    ["custom/@cf/meta/llama-4", model("custom", "@cf/meta/llama-4")],
    ["custom/agent", model("custom", "agent")],
    ["default", { kind: "project_choice", projectId: null }],
    [`project:${PROJECT}`, { kind: "project_choice", projectId: PROJECT }],
    ["agent", { kind: "agent", project: null }],
    [`agent:${PROJECT}`, { kind: "agent", project: PROJECT }],
    ["agent:My project, déjà", { kind: "agent", project: "My project, déjà" }],
  ])("%s means %o", (name, expected) => expect(readModelName(name)).toEqual(expected));

  it.each([
    "",
    "gemini-pro",
    "ollama",
    "o1x",
    "o2",
    "GPT-4o",
    "constructor",
    "toString",
    "agent:",
    "agent: ",
    "Agent",
    "project:x",
    "project:",
    "openai/",
    "custom/",
    "openrouter/",
    "/x",
    "google/gemini",
    "anthropic/gpt-4o",
    "claude/../x",
    "gpt-4o\n",
    "gpt 4",
    `custom/${"x".repeat(200)}`,
    `agent:${"x".repeat(201)}`,
  ])("%j means nothing", (name) => expect(readModelName(name)).toBeNull());

  it("is the provider's own where a project chooses", () => {
    expect([
      isModelOf("anthropic", "sonnet"),
      isModelOf("anthropic", "gpt-4o"),
      isModelOf("custom", "gpt-4o"),
      isModelOf("openai", "a b"),
    ]).toEqual([true, false, true, false]);
  });

  it("of OpenAI's list is one that chats", () => {
    const list = [
      "gpt-4o",
      "o3",
      "gpt-image-1",
      "text-embedding-3-small",
      "gpt-4o-realtime-preview",
      "whisper-1",
      "gpt-3.5-turbo-instruct",
    ];
    expect(list.filter(isOpenAiChatModel)).toEqual(["gpt-4o", "o3"]);
  });
});
