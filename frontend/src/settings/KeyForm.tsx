/** Takes a key, has it checked and stored. The value lives in the field alone: never in React state, storage or a URL. */
import { useEffect, useId, useRef, useState, type FormEvent } from "react";
import { Button } from "../ui/button.tsx";
import { FIELD_CLASS } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { problemOf } from "./problem-of.ts";
import { useKeyActions } from "./use-settings.ts";

interface KeyFormProps {
  submitLabel: string;
  hint: string;
  /** The person asked for this field just now. */
  takesFocus?: boolean;
  onDone?: () => void;
  onCancel?: () => void;
}

export const CONSOLE_URL = "https://console.anthropic.com/settings/keys";

export function KeyForm({ submitLabel, hint, takesFocus = false, onDone, onCancel }: KeyFormProps) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [isShown, setIsShown] = useState(false);
  const [isEmpty, setIsEmpty] = useState(false);
  const { add } = useKeyActions();
  useEffect(() => {
    if (takesFocus) field.current?.focus();
  }, [takesFocus]);
  const problem = isEmpty ? t.key.empty : add.isError ? problemOf(add.error) : null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const apiKey = field.current?.value.trim() ?? "";
    setIsEmpty(apiKey === "");
    if (apiKey === "" || add.isPending) return;
    add.mutate(
      { apiKey },
      {
        onSuccess: () => {
          if (field.current !== null) field.current.value = "";
          toast(t.key.works);
          onDone?.();
        },
        // A call keeps its variables for its observers; the key must not outlive the call.
        onSettled: (_key, error) => (error === null ? add.reset() : undefined),
      },
    );
  };

  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={id} className="mb-1 block text-label font-medium text-fg-2">
        {t.key.field}
      </label>
      <div className="flex gap-2">
        <input
          ref={field}
          id={id}
          type={isShown ? "text" : "password"}
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          placeholder="sk-ant-api…"
          aria-invalid={problem !== null}
          aria-describedby={`${id}-hint ${id}-problem`}
          className={`${FIELD_CLASS} h-8 min-w-0 flex-1 font-mono pointer-coarse:h-11`}
        />
        <Button variant="ghost" aria-pressed={isShown} onClick={() => setIsShown(!isShown)}>
          {isShown ? t.key.hide : t.key.show}
        </Button>
      </div>
      <p id={`${id}-problem`} role="alert" className="text-label text-bad empty:hidden not-empty:mt-1">
        {problem}
      </p>
      <p id={`${id}-hint`} className="mt-1 text-label text-fg-3">
        {hint}{" "}
        <a href={CONSOLE_URL} target="_blank" rel="noreferrer" className="text-accent underline underline-offset-2">
          {t.key.console}
        </a>
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button type="submit" variant="primary" disabled={add.isPending}>
          {add.isPending ? t.key.checking : submitLabel}
        </Button>
        {onCancel !== undefined && <Button onClick={onCancel}>{t.cancel}</Button>}
      </div>
    </form>
  );
}
