import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import type { SelectOption } from "./select.tsx";

export interface ChipSelectProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly SelectOption[];
  icon?: ReactNode;
}

/** A choice as a chip: the platform's own select, as wide as what is chosen. */
export function ChipSelect({ label, value, onChange, options, icon }: ChipSelectProps) {
  return (
    <span className="relative inline-flex max-w-full min-w-0 items-center rounded-control text-fg-2 transition-colors hover:bg-hover hover:text-fg">
      {icon !== undefined && <span className="pointer-events-none absolute left-2 [&_svg]:size-3.5 [&_svg]:stroke-[1.75]">{icon}</span>}
      <select
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={`field-sizing-content h-7 max-w-56 min-w-0 appearance-none truncate rounded-control bg-transparent pr-6 font-medium text-inherit pointer-coarse:h-11 pointer-coarse:text-title ${icon === undefined ? "pl-2" : "pl-7"}`}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled ?? false} className="bg-raised text-fg">
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute right-1.5 size-3.5 stroke-[1.75]" />
    </span>
  );
}
