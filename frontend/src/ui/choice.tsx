import { useId, type ReactNode } from "react";
import { classes } from "./classes.ts";

export interface ChoiceOption<T extends string> {
  value: T;
  label: string;
  description?: string | undefined;
  icon?: ReactNode;
  disabled?: boolean;
}

export interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly ChoiceOption<T>[];
  /** Side by side, as one control; else one under the other. */
  inline?: boolean;
}

/** One of a few, all of them in sight: real radio buttons. */
export function Choice<T extends string>({ label, value, onChange, options, inline = false }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 text-label font-medium text-fg-2">{label}</legend>
      <div className={inline ? "inline-flex max-w-full flex-wrap gap-0.5 rounded-control bg-sunken p-0.5" : "flex flex-col gap-0.5"}>
        {options.map((option) => (
          <label
            key={option.value}
            className={classes(
              "relative flex cursor-pointer gap-2 rounded-control has-focus-visible:outline-2 has-focus-visible:outline-accent",
              inline
                ? "items-center border px-2.5 py-1 font-medium pointer-coarse:min-h-11"
                : "items-start px-1 py-1 pointer-coarse:min-h-11",
              option.disabled === true && "cursor-default opacity-60",
              inline && (option.value === value ? "border-line bg-surface text-fg" : "border-transparent text-fg-2 hover:text-fg"),
            )}
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              disabled={option.disabled ?? false}
              onChange={() => onChange(option.value)}
              className={
                inline ? "absolute inset-0 size-full cursor-pointer appearance-none opacity-0" : "mt-px size-4 flex-none accent-ink"
              }
            />
            {option.icon !== undefined && <span className="[&_svg]:size-4 [&_svg]:stroke-[1.75]">{option.icon}</span>}
            <span>
              <span className="block">{option.label}</span>
              {option.description !== undefined && <span className="block text-label text-fg-3">{option.description}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
