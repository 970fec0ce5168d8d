import { useId, type InputHTMLAttributes, type Ref, type TextareaHTMLAttributes } from "react";
import { classes } from "./classes.ts";

export const FIELD_CLASS =
  "field w-full rounded-control border border-line-strong bg-surface px-2.5 text-fg transition-colors hover:border-fg-3 " +
  "focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 aria-invalid:border-bad disabled:opacity-60";

export interface FieldFrameProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** Keeps the label for screen readers only. */
  hideLabel?: boolean;
}

interface Described {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

/** Ids that tie a control to its label, hint and error. */
function useDescription(hint: string | undefined, error: string | undefined): { control: Described; hintId: string; errorId: string } {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const described = [error !== undefined && errorId, hint !== undefined && hintId].filter(Boolean).join(" ");
  const control: Described = {
    id,
    ...(described === "" ? {} : { "aria-describedby": described }),
    ...(error === undefined ? {} : { "aria-invalid": true }),
  };
  return { control, hintId, errorId };
}

function Notes({ hint, error, hintId, errorId }: { hint: string | undefined; error: string | undefined; hintId: string; errorId: string }) {
  return (
    <>
      {error !== undefined && (
        <p id={errorId} role="alert" className="mt-1 text-label text-bad">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={hintId} className="mt-1 text-label text-fg-3">
          {hint}
        </p>
      )}
    </>
  );
}

export interface TextFieldProps extends FieldFrameProps, InputHTMLAttributes<HTMLInputElement> {
  ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, error, hideLabel = false, className, ...rest }: TextFieldProps) {
  const { control, hintId, errorId } = useDescription(hint, error);
  return (
    <div className={className}>
      <label htmlFor={control.id} className={classes("mb-1 block text-label font-medium text-fg-2", hideLabel && "sr-only")}>
        {label}
      </label>
      <input {...rest} {...control} className={classes(FIELD_CLASS, "h-8 pointer-coarse:h-11")} />
      <Notes hint={hint} error={error} hintId={hintId} errorId={errorId} />
    </div>
  );
}

export interface TextAreaProps extends FieldFrameProps, TextareaHTMLAttributes<HTMLTextAreaElement> {
  ref?: Ref<HTMLTextAreaElement>;
}

export function TextArea({ label, hint, error, hideLabel = false, className, ...rest }: TextAreaProps) {
  const { control, hintId, errorId } = useDescription(hint, error);
  return (
    <div className={className}>
      <label htmlFor={control.id} className={classes("mb-1 block text-label font-medium text-fg-2", hideLabel && "sr-only")}>
        {label}
      </label>
      <textarea {...rest} {...control} className={classes(FIELD_CLASS, "resize-y py-1.5")} />
      <Notes hint={hint} error={error} hintId={hintId} errorId={errorId} />
    </div>
  );
}
