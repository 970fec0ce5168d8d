/** Copies a text, and says so: on the button, and to a screen reader. */
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button, type ButtonProps } from "../ui/button.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";

const COPIED_SHOWN_MS = 1_600;

/** Resolves to whether the browser allowed it. */
export const copyText = (text: string): Promise<boolean> =>
  navigator.clipboard.writeText(text).then(
    () => true,
    () => {
      toast(t.copyFailed);
      return false;
    },
  );

interface CopyButtonProps {
  text: string;
  /** What is copied, in words. */
  what: string;
  variant?: ButtonProps["variant"];
  size?: ButtonProps["size"];
  onCopied?: () => void;
}

export function CopyButton({ text, what, variant = "secondary", size = "md", onCopied }: CopyButtonProps) {
  const announce = useAnnounce();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), COPIED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    if (!(await copyText(text))) return;
    setIsCopied(true);
    announce(t.copied);
    onCopied?.();
  };
  return (
    <Button variant={variant} size={size} aria-label={isCopied ? t.copied : t.copyWhat(what)} onClick={() => void copy()}>
      {isCopied ? <Check aria-hidden className="icon" /> : <Copy aria-hidden className="icon" />}
      {isCopied ? t.copied : t.copy}
    </Button>
  );
}
