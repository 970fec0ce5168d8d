/** Settings, API: what programs need to use this platform for a person. */
import type { Features } from "@ai-dev-platform/protocol/api/providers";
import { ExternalLink } from "lucide-react";
import { useConfig } from "../auth/use-me.ts";
import { Loaded } from "../settings/Loaded.tsx";
import { Callout } from "../ui/callout.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { t } from "./messages.ts";
import { offeredScopes } from "./token-form.ts";
import { Tokens } from "./Tokens.tsx";
import { Webhooks } from "./Webhooks.tsx";

/** Served by the Worker, not by this app. */
const DOCS_PATH = "/v1/docs";

export function ApiTab() {
  const config = useConfig();
  return (
    <Loaded query={config}>
      {({ features }) => (features.api ? <Programs features={features} /> : <Callout tone="plain">{t.off}</Callout>)}
    </Loaded>
  );
}

function Programs({ features }: { features: Features }) {
  const baseUrl = `${location.origin}/v1`;
  return (
    <div className="flex flex-col gap-6">
      <div>
        <p className="mb-3 text-fg-2">{t.about}</p>
        <div className="flex flex-wrap items-center gap-2">
          <span className="flex max-w-full items-center gap-1 rounded-control border border-line bg-sunken py-0.5 pr-0.5 pl-2.5">
            <code aria-label={t.baseUrl} className="min-w-0 flex-1 py-1 font-mono text-mono [overflow-wrap:anywhere] select-all">
              {baseUrl}
            </code>
            <CopyButton size="sm" variant="ghost" text={baseUrl} what={t.baseUrl} />
          </span>
          <a
            href={DOCS_PATH}
            target="_blank"
            rel="noreferrer"
            className="inline-flex items-center gap-1.5 py-1 text-accent underline underline-offset-2"
          >
            {t.reference}
            <ExternalLink aria-hidden className="size-3.5 flex-none" />
          </a>
        </div>
      </div>
      <Tokens offered={offeredScopes(features)} />
      {features.agent && <Webhooks />}
    </div>
  );
}
