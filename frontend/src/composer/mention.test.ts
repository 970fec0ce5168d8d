import { describe, expect, it } from "vitest";
import { insertMention, mentionAt } from "./mention.ts";

describe("mentionAt", () => {
  it("finds the word under the caret that starts with @", () => {
    expect(mentionAt("@", 1)).toEqual({ start: 0, fragment: "" });
    expect(mentionAt("look at @src/se now", 15)).toEqual({ start: 8, fragment: "src/se" });
    expect(mentionAt("(@a", 3)).toEqual({ start: 1, fragment: "a" });
  });

  it("leaves e-mail addresses and finished mentions alone", () => {
    expect(mentionAt("mail me@example.com", 19)).toBeNull();
    expect(mentionAt("@src/a.ts ", 10)).toBeNull();
  });
});

describe("insertMention", () => {
  it("replaces the fragment, keeps the rest, and leaves one space", () => {
    const text = "look at @src/se now";
    const mention = mentionAt(text, 15);
    expect(mention && insertMention(text, 15, mention, "src/session/replay.ts")).toEqual({
      text: "look at @src/session/replay.ts now",
      caret: 31,
    });
  });
});
