import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { classes } from "./classes.ts";
import { Tooltip } from "./tooltip.tsx";

type Variant = "primary" | "secondary" | "ghost" | "danger";

const BASE =
  "inline-flex select-none items-center justify-center gap-1.5 rounded-control font-medium whitespace-nowrap transition-colors disabled:opacity-50 aria-disabled:opacity-50";

const LOOKS: Record<Variant, string> = {
  primary: "bg-ink text-on-ink hover:bg-fg-2 disabled:hover:bg-ink",
  secondary: "border border-line-strong bg-surface text-fg hover:bg-hover disabled:hover:bg-surface",
  ghost: "text-fg-2 hover:bg-hover hover:text-fg",
  danger: "border border-line-strong bg-surface text-bad hover:border-bad hover:bg-bad-soft",
};

const SIZES = {
  sm: "h-7 px-2 text-label pointer-coarse:h-11 pointer-coarse:px-3 pointer-coarse:text-body",
  md: "h-8 px-3 text-ui pointer-coarse:h-11 pointer-coarse:px-4 pointer-coarse:text-body",
} as const;

/** The look of a button, for a link that acts like one. */
export const buttonClass = (variant: Variant = "secondary", size: keyof typeof SIZES = "md"): string =>
  classes(BASE, LOOKS[variant], SIZES[size]);

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant;
  size?: keyof typeof SIZES;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant = "secondary", size = "md", type = "button", className, ...rest }: ButtonProps) {
  return <button type={type} className={classes(buttonClass(variant, size), className)} {...rest} />;
}

export interface IconButtonProps extends Omit<ButtonProps, "children"> {
  /** Names the button to everybody: accessible name and tooltip. */
  label: string;
  children: ReactNode;
}

export function IconButton({ label, variant = "ghost", size = "md", type = "button", className, children, ...rest }: IconButtonProps) {
  const box = size === "sm" ? "size-7" : "size-8";
  return (
    <Tooltip text={label}>
      <button
        type={type}
        aria-label={label}
        className={classes(BASE, LOOKS[variant], box, "flex-none pointer-coarse:size-11 [&_svg]:size-4 [&_svg]:stroke-[1.75]", className)}
        {...rest}
      >
        {children}
      </button>
    </Tooltip>
  );
}
