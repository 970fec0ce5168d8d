import { describe, expect, it } from "vitest";
import { matchRank, mergeCommands, readOwnCommand, slashChoices, slashFragment, type SlashCommand, type SlashContext } from "./slash.ts";

const command = (name: string, argumentHint = "", group: SlashCommand["group"] = "agent"): SlashCommand => ({
  name,
  description: name,
  argumentHint,
  group,
});

const context: SlashContext = {
  commands: [
    command("share", "", "ours"),
    command("mode", "<mode>", "ours"),
    command("compact"),
    command("review", "<path>"),
    command("pr-comments"),
    command("mcp:linear"),
  ],
  modes: [
    { value: "default", label: "Ask first", description: "" },
    { value: "plan", label: "Plan", description: "" },
  ],
  models: [{ value: "sonnet", label: "Sonnet", description: "" }],
};

describe("slashFragment", () => {
  it("reads a command only at the very start and before the first space", () => {
    expect(slashFragment("/", 1)).toBe("");
    expect(slashFragment("/comp", 5)).toBe("comp");
    expect(slashFragment("/comp rest", 5)).toBe("comp");
    expect(slashFragment("/comp ", 6)).toBeNull();
    expect(slashFragment("see /comp", 9)).toBeNull();
    expect(slashFragment("/usr/bin", 8)).toBeNull();
  });
});

describe("matchRank", () => {
  it("puts exact before prefix before word start before inside before letters in order", () => {
    expect(matchRank("compact", "compact")).toBe(0);
    expect(matchRank("compact", "com")).toBe(1);
    expect(matchRank("pr-comments", "com")).toBe(2);
    expect(matchRank("recompute", "com")).toBe(3);
    expect(matchRank("compact", "cpt")).toBe(4);
    expect(matchRank("compact", "xyz")).toBeNull();
  });
});

describe("slashChoices", () => {
  it("ranks what fits and keeps the given order otherwise", () => {
    expect(slashChoices("/com", 4, context).map((choice) => choice.label)).toEqual(["/compact", "/pr-comments"]);
    expect(slashChoices("/", 1, context)).toHaveLength(context.commands.length);
  });

  it("completes a command that takes an argument, and runs one that needs none", () => {
    expect(slashChoices("/rev", 4, context)[0]).toMatchObject({ text: "/review ", runs: false, hint: "<path>" });
    expect(slashChoices("/sha", 4, context)[0]).toMatchObject({ text: "/share", runs: true });
    expect(slashChoices("/compact", 8, context)[0]).toMatchObject({ text: "/compact", runs: false });
  });

  it("offers the values of /mode and /model by name or value", () => {
    expect(slashChoices("/mode ", 6, context).map((choice) => choice.text)).toEqual(["/mode default", "/mode plan"]);
    expect(slashChoices("/mode ask", 9, context).map((choice) => choice.text)).toEqual(["/mode default"]);
    expect(slashChoices("/model so", 9, context)[0]).toMatchObject({ text: "/model sonnet", runs: true });
  });
});

describe("readOwnCommand", () => {
  it("reads ours", () => {
    expect(readOwnCommand("/share", context)).toEqual({ name: "share" });
    expect(readOwnCommand("/rename Fix the race ", context)).toEqual({ name: "rename", title: "Fix the race" });
    expect(readOwnCommand("/mode plan", context)).toEqual({ name: "mode", mode: "plan" });
    expect(readOwnCommand("/model Sonnet", context)).toEqual({ name: "model", model: "sonnet" });
  });

  it("leaves everything else to be sent as text", () => {
    for (const text of [
      "/unknown",
      "/mode sideways",
      "/model gpt",
      "/rename",
      "/share it with Mara",
      "please /share",
      "/rename a\nb",
      "/",
    ]) {
      expect(readOwnCommand(text, context), text).toBeNull();
    }
  });
});

describe("mergeCommands", () => {
  it("keeps ours on a name that both have, and drops a leading slash", () => {
    const merged = mergeCommands([command("model", "", "ours")], [command("model"), command("/compact")]);
    expect(merged.map((entry) => `${entry.group}:${entry.name}`)).toEqual(["ours:model", "agent:compact"]);
  });
});
