import { ChevronDown } from "lucide-react";
import { useId } from "react";
import { classes } from "./classes.ts";
import { FIELD_CLASS } from "./text-field.tsx";

export interface SelectOption {
  value: string;
  label: string;
  disabled?: boolean;
}

export interface SelectProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly SelectOption[];
  hint?: string | undefined;
  hideLabel?: boolean;
  className?: string | undefined;
  disabled?: boolean;
}

/** The platform's own select: the best picker on a phone, styled like the other fields. */
export function Select({ label, value, onChange, options, hint, hideLabel = false, className, disabled = false }: SelectProps) {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className={classes("mb-1 block text-label font-medium text-fg-2", hideLabel && "sr-only")}>
        {label}
      </label>
      <div className="relative">
        <select
          id={id}
          value={value}
          disabled={disabled}
          onChange={(event) => onChange(event.target.value)}
          {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
          className={classes(FIELD_CLASS, "h-8 appearance-none truncate pr-7 pointer-coarse:h-11")}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.disabled ?? false}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronDown aria-hidden className="icon pointer-events-none absolute top-1/2 right-2 size-3.5 -translate-y-1/2 text-fg-3" />
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-label text-fg-3">
          {hint}
        </p>
      )}
    </div>
  );
}
