/**
 * The state of a question form and the answer it makes. Pure.
 * "Other…" is a choice like any other whose text is typed; a question without a choice is left out of the answer.
 */
import type { ApprovalAnswer, Question } from "@ai-dev-platform/protocol/approvals";

export interface QuestionChoice {
  picked: readonly string[];
  isOther: boolean;
  otherText: string;
}

export type QuestionForm = readonly QuestionChoice[];

export const emptyForm = (questions: readonly Question[]): QuestionForm =>
  questions.map(() => ({ picked: [], isOther: false, otherText: "" }));

const replaceAt = (form: QuestionForm, index: number, change: (choice: QuestionChoice) => QuestionChoice): QuestionForm =>
  form.map((choice, at) => (at === index ? change(choice) : choice));

export function pick(form: QuestionForm, index: number, label: string, question: Question): QuestionForm {
  return replaceAt(form, index, (choice) => {
    if (!question.multiSelect) return { ...choice, picked: [label], isOther: false };
    const picked = choice.picked.includes(label) ? choice.picked.filter((other) => other !== label) : [...choice.picked, label];
    return { ...choice, picked };
  });
}

export function pickOther(form: QuestionForm, index: number, question: Question): QuestionForm {
  return replaceAt(form, index, (choice) =>
    question.multiSelect ? { ...choice, isOther: !choice.isOther } : { ...choice, picked: [], isOther: true },
  );
}

export const writeOther = (form: QuestionForm, index: number, otherText: string): QuestionForm =>
  replaceAt(form, index, (choice) => ({ ...choice, otherText }));

/** The labels chosen for one question, typed text last. */
export function chosen(choice: QuestionChoice | undefined): string[] {
  if (choice === undefined) return [];
  const typed = choice.isOther ? choice.otherText.trim() : "";
  return typed === "" ? [...choice.picked] : [...choice.picked, typed];
}

export const isComplete = (form: QuestionForm): boolean => form.every((choice) => chosen(choice).length > 0);

export function toAnswer(questions: readonly Question[], form: QuestionForm): ApprovalAnswer {
  const answers: Record<string, string | string[]> = {};
  questions.forEach((question, index) => {
    const labels = chosen(form[index]);
    const [first] = labels;
    if (first !== undefined) answers[question.question] = question.multiSelect ? labels : first;
  });
  return { decision: "answers", answers };
}
