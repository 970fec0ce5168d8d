/** Code to take away: one language at a time, copied by one press. */
import { useState, type ReactNode } from "react";
import { ScrollRegion } from "../transcript/ScrollRegion.tsx";
import { classes } from "../ui/classes.ts";
import { CopyButton } from "./CopyButton.tsx";
import { t } from "./messages.ts";
import { LANGUAGES, snippet, type Call, type Language } from "./snippets.ts";

export function CodeBox({ code, label, head }: { code: string; label: string; head?: ReactNode }) {
  return (
    <div className="rounded-card border border-line">
      <div className="flex items-center gap-2 border-b border-line px-2 py-1">
        <div className="min-w-0 flex-1">{head}</div>
        <CopyButton size="sm" variant="ghost" text={code} what={label} />
      </div>
      <ScrollRegion label={label} className="max-h-80 overflow-auto -outline-offset-2">
        <pre className="px-3 py-2 font-mono text-mono">
          <code>{code}</code>
        </pre>
      </ScrollRegion>
    </div>
  );
}

export function CallSnippet({ call }: { call: Call }) {
  const [language, setLanguage] = useState<Language>("curl");
  const name = t.snippet.names[language];
  const head = (
    <fieldset aria-label={t.snippet.choice} className="flex gap-0.5">
      {LANGUAGES.map((value) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === language}
          onClick={() => setLanguage(value)}
          className={classes(
            "rounded-control px-2 py-1 text-label font-medium pointer-coarse:min-h-11",
            value === language ? "bg-hover text-fg" : "text-fg-2 hover:text-fg",
          )}
        >
          {t.snippet.names[value]}
        </button>
      ))}
    </fieldset>
  );
  const install = t.snippet.installs[language];
  return (
    <div>
      <CodeBox code={snippet(language, call)} label={t.snippet.label(name)} head={head} />
      {install !== "" && <p className="mt-1 text-label text-fg-3">{install}</p>}
    </div>
  );
}
