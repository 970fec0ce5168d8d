import type { ReactNode } from "react";

export interface CheckboxProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
  disabled?: boolean;
}

export function Checkbox({ checked, onChange, children, disabled = false }: CheckboxProps) {
  return (
    <label className="flex min-h-7 items-start gap-2 py-1 pointer-coarse:min-h-11 pointer-coarse:py-2.5">
      <input
        type="checkbox"
        className="mt-px size-4 flex-none accent-ink pointer-coarse:size-5"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>{children}</span>
    </label>
  );
}
