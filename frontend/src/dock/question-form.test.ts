import type { Question } from "@ai-dev-platform/protocol/approvals";
import { describe, expect, it } from "vitest";
import { emptyForm, isComplete, pick, pickOther, toAnswer, writeOther } from "./question-form.ts";

const single: Question = {
  question: "Which store?",
  header: "Store",
  multiSelect: false,
  options: [
    { label: "SQLite", description: "" },
    { label: "R2", description: "" },
  ],
};
const multi: Question = {
  question: "Which checks?",
  header: "",
  multiSelect: true,
  options: [
    { label: "Lint", description: "" },
    { label: "Types", description: "" },
  ],
};

describe("question form", () => {
  it("keeps one choice of a single question and several of a multiple one", () => {
    const questions = [single, multi];
    let form = emptyForm(questions);
    expect(isComplete(form)).toBe(false);
    form = pick(form, 0, "SQLite", single);
    form = pick(form, 0, "R2", single);
    form = pick(form, 1, "Lint", multi);
    form = pick(form, 1, "Types", multi);
    form = pick(form, 1, "Lint", multi);
    expect(isComplete(form)).toBe(true);
    expect(toAnswer(questions, form)).toEqual({ decision: "answers", answers: { "Which store?": "R2", "Which checks?": ["Types"] } });
  });

  it("takes typed text instead of an option, and beside the options of a multiple question", () => {
    const questions = [single, multi];
    let form = pick(emptyForm(questions), 0, "R2", single);
    form = writeOther(pickOther(form, 0, single), 0, "  Postgres ");
    form = pick(form, 1, "Lint", multi);
    form = writeOther(pickOther(form, 1, multi), 1, "Tests");
    expect(toAnswer(questions, form)).toEqual({
      decision: "answers",
      answers: { "Which store?": "Postgres", "Which checks?": ["Lint", "Tests"] },
    });
  });

  it("is not complete while Other is chosen without text", () => {
    const form = pickOther(emptyForm([single]), 0, single);
    expect(isComplete(form)).toBe(false);
    expect(toAnswer([single], form)).toEqual({ decision: "answers", answers: {} });
  });
});
