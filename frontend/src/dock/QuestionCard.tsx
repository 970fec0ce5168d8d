import type { ApprovalRequest, Question } from "@ai-dev-platform/protocol/approvals";
import { MessageCircleQuestion } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import { t } from "./messages.ts";
import type { RequestCardProps } from "./PermissionCard.tsx";
import { chosen, emptyForm, isComplete, pick, pickOther, toAnswer, writeOther, type QuestionChoice } from "./question-form.ts";

interface QuestionFieldProps {
  question: Question;
  choice: QuestionChoice;
  disabled: boolean;
  onPick: (label: string) => void;
  onOther: () => void;
  onWrite: (text: string) => void;
}

const OPTION =
  "flex min-h-9 items-start gap-2.5 rounded-control border border-line bg-surface px-2.5 py-1.5 text-ui has-checked:border-fg-2 pointer-coarse:min-h-11 pointer-coarse:text-body";

function QuestionField({ question, choice, disabled, onPick, onOther, onWrite }: QuestionFieldProps) {
  const name = useId();
  const type = question.multiSelect ? "checkbox" : "radio";
  return (
    <fieldset className="mb-3 last:mb-0" disabled={disabled}>
      <legend className="mb-1.5 text-body">
        {question.header !== "" && (
          <span className="mr-2 rounded-chip border border-warn-line px-1.5 text-label text-fg-2">{question.header}</span>
        )}
        {question.question}
      </legend>
      <div className="grid gap-1.5">
        {question.options.map((option) => (
          <label key={option.label} className={OPTION}>
            <input
              type={type}
              name={name}
              className="mt-0.5 size-4 flex-none accent-ink"
              checked={choice.picked.includes(option.label)}
              onChange={() => onPick(option.label)}
            />
            <span className="min-w-0">
              <span className="block font-medium">{option.label}</span>
              {option.description !== "" && <span className="block text-label text-fg-2">{option.description}</span>}
            </span>
          </label>
        ))}
        <label className={OPTION}>
          <input type={type} name={name} className="mt-0.5 size-4 flex-none accent-ink" checked={choice.isOther} onChange={onOther} />
          <span>{t.question.other}</span>
        </label>
        {choice.isOther && (
          <input
            aria-label={t.question.otherField}
            placeholder={t.question.otherField}
            maxLength={4_000}
            value={choice.otherText}
            onChange={(event) => onWrite(event.target.value)}
            className="field h-8 rounded-control border border-line-strong bg-surface px-2.5 pointer-coarse:h-11"
          />
        )}
      </div>
    </fieldset>
  );
}

export function QuestionCard({
  request,
  meta,
  error,
  mayAnswer,
  onAnswer,
}: RequestCardProps<Extract<ApprovalRequest, { kind: "question" }>>) {
  const { questions } = request;
  const [form, setForm] = useState(() => emptyForm(questions));
  const answered = form.filter((choice) => chosen(choice).length > 0).length;
  return (
    <DockCard
      icon={<MessageCircleQuestion aria-hidden />}
      title={t.question.title(questions.length)}
      meta={meta}
      error={error}
      actions={
        mayAnswer ? (
          <>
            <Button
              variant="primary"
              className="pointer-coarse:flex-1"
              disabled={!isComplete(form)}
              onClick={() => onAnswer(toAnswer(questions, form))}
            >
              {t.question.send}
              {questions.length > 1 && <span className="tabular font-normal">{t.stack(answered, questions.length)}</span>}
            </Button>
            <Button
              variant="ghost"
              className="ml-auto pointer-coarse:flex-1 pointer-coarse:border pointer-coarse:border-warn-line"
              onClick={() => onAnswer({ decision: "deny", message: "" })}
            >
              {t.question.skip}
            </Button>
          </>
        ) : (
          <p className="text-ui text-fg-2">{t.readOnly}</p>
        )
      }
    >
      {questions.map((question, index) => {
        const choice = form[index];
        if (choice === undefined) return null;
        return (
          <QuestionField
            key={question.question}
            question={question}
            choice={choice}
            disabled={!mayAnswer}
            onPick={(label) => setForm((before) => pick(before, index, label, question))}
            onOther={() => setForm((before) => pickOther(before, index, question))}
            onWrite={(text) => setForm((before) => writeOther(before, index, text))}
          />
        );
      })}
    </DockCard>
  );
}
