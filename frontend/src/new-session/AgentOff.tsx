/** In place of the form where the operator has switched coding sessions off: what there is instead. */
import type { Features } from "@ai-dev-platform/protocol/api/providers";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { shell } from "../shell/shell-state.ts";
import { buttonClass } from "../ui/button.tsx";

const t = {
  title: "Coding sessions are switched off here",
  text: "The operator of this deployment offers models alone. Sessions that were made before can still be read.",
  api: "Your programs can talk to models through the API, with a token of yours.",
  open: "Open Settings, API",
} as const;

export function AgentOff({ features }: { features: Features }) {
  return (
    <section aria-label={t.title} className="rounded-card border border-line bg-surface p-4">
      <h2 className="text-title font-semibold">{t.title}</h2>
      <p className="mt-1 text-fg-2">
        {t.text} {features.api && t.api}
      </p>
      {features.api && (
        <Link href={paths.settings("api")} onClick={() => shell.setOverlay(null)} className={`${buttonClass("primary")} mt-3`}>
          {t.open}
        </Link>
      )}
    </section>
  );
}
