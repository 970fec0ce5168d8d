import { useEffect, useId, useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";

export interface ReplyFieldProps {
  label: string;
  submitLabel: string;
  danger?: boolean;
  onSubmit: (text: string) => void;
  onBack: () => void;
}

/** The one field that "Deny…" and "Keep planning…" open. Enter sends it: what it sends is the safe answer. */
export function ReplyField({ label, submitLabel, danger = false, onSubmit, onBack }: ReplyFieldProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState("");
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      className="flex w-full flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(text.trim());
      }}
    >
      <label htmlFor={id} className="text-label font-medium text-fg-2">
        {label}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={2}
        maxLength={4_000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Escape") {
            event.preventDefault();
            event.stopPropagation();
            onBack();
          } else if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            onSubmit(text.trim());
          }
        }}
        className="field w-full resize-none rounded-control border border-line-strong bg-surface px-2.5 py-1.5"
      />
      <div className="flex gap-2">
        <Button type="submit" variant={danger ? "danger" : "primary"}>
          {submitLabel}
        </Button>
        <Button variant="ghost" onClick={onBack}>
          {t.back}
        </Button>
      </div>
    </form>
  );
}
