import { describe, expect, it } from "vitest";
import { modelNameOf } from "../../llm/model-names.ts";
import { problemFrom } from "./model.ts";

describe("the model of a direct session", () => {
  it.each([
    ["default", "claude-opus-5-5"],
    ["sonnet", "claude-sonnet-5"],
    ["sonnet[1m]", "claude-sonnet-5"],
    ["claude-haiku-4-5", "claude-haiku-4-5"],
    ["claude-opus-5-5[1m]", "claude-opus-5-5"],
    ["opusplan", "claude-opus-5-5"],
  ])("[DI1] %s is %s", (model, name) => expect(modelNameOf(model)).toBe(name));

  it("[DI1] says nothing of what broke inside", () => {
    expect(problemFrom(new TypeError("x is not a function"))).toEqual({
      code: "agent_error",
      message: "Claude stopped with an error. Send a prompt to go on.",
    });
  });
});
