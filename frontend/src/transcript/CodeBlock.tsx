/** A block of code: plain mono, scrolls sideways (wraps on the phone), copies clean. */
import { Check, Copy } from "lucide-react";
import { memo, useEffect, useState } from "react";
import { t } from "./messages.ts";
import { ScrollRegion } from "./ScrollRegion.tsx";

const COPIED_SHOWN_MS = 1_600;

export const CodeBlock = memo(function CodeBlock({ code, language }: { code: string; language?: string | undefined }) {
  const name = (language ?? "").split(/\s/, 1)[0] || t.code.plain;
  return (
    <div className="code-block">
      <div className="code-head">
        <span>{name}</span>
        <CopyButton text={copyText(code, name)} />
      </div>
      <ScrollRegion label={name}>
        <pre>
          <code>{code}</code>
        </pre>
      </ScrollRegion>
    </div>
  );
});

const SHELLS = new Set(["sh", "bash", "shell", "console", "zsh", "shellsession"]);
/** What lands on the clipboard is what one would type: no prompt signs. */
export const copyText = (code: string, language: string): string => (SHELLS.has(language) ? code.replaceAll(/^\$ /gm, "") : code);

export function CopyButton({ text }: { text: string }) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), COPIED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => setIsCopied(true));
  };
  return (
    <button type="button" className="copy-button" onClick={copy} aria-label={isCopied ? t.copied : t.copy}>
      {isCopied ? <Check size={14} strokeWidth={1.75} aria-hidden="true" /> : <Copy size={14} strokeWidth={1.75} aria-hidden="true" />}
    </button>
  );
}
