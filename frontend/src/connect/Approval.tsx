/** Who asks, what it would be allowed, and the two answers. */
import { useEffect } from "react";
import type { ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { messageOf } from "../api/client.ts";
import { useMe } from "../auth/use-me.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { t } from "./messages.ts";
import type { ShownKey } from "../signing/use-browser-key.ts";
import { isLoopbackAddress, useAnswer, type Answered as AnsweredBody, type Which } from "./use-connect.ts";

export function Approval({ which, waiting }: { which: Which; waiting: ConnectBody }) {
  const me = useMe();
  const answer = useAnswer(which, waiting.kind, me.data?.userId);
  if (answer.isSuccess) return <Answered name={waiting.name} isApproved={answer.variables} {...answer.data} />;
  return (
    <>
      <h1 className="text-head font-semibold [overflow-wrap:anywhere]">
        {waiting.isKnown ? t.asksAgain(waiting.name) : t.asks(waiting.name)}
      </h1>
      {me.data && <p className="mt-1 text-fg-2">{t.as(me.data.name, me.data.email)}</p>}
      <Facts which={which} waiting={waiting} />
      <p className="mt-4 font-medium">{t.allows}</p>
      <ul className="mt-1 list-disc pl-5 text-fg-2">
        {t.allowsList.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="mt-2 text-fg-2">{t.notAllowed}</p>
      <div className="mt-4">
        <Callout tone="warn">
          {t.startedThis} {waiting.kind === "device" && t.checkCode} {waiting.from === "other_network" && t.elsewhere}
        </Callout>
      </div>
      {answer.isError && (
        <div className="mt-3">
          <Callout tone="bad" alert>
            {messageOf(answer.error)}
          </Callout>
        </div>
      )}
      <div className="mt-4 flex gap-2">
        <Button variant="primary" disabled={answer.isPending || !me.data} onClick={() => answer.mutate(true)}>
          {t.approve}
        </Button>
        <Button disabled={answer.isPending} onClick={() => answer.mutate(false)}>
          {t.decline}
        </Button>
      </div>
    </>
  );
}

/** The key went by the server: a person sees on both screens that it is the same. */
function Fingerprint({ browserKey }: { browserKey: ShownKey | null }) {
  if (browserKey === null)
    return (
      <div className="mt-4">
        <Callout tone="warn">{t.cannotSign}</Callout>
      </div>
    );
  return (
    <div className="mt-4 rounded-card border border-line px-4 py-3">
      <p className="text-fg-2">{t.compare}</p>
      <p className="mt-1 font-mono text-head font-semibold [overflow-wrap:anywhere]">{browserKey.fingerprint}</p>
    </div>
  );
}

function Facts({ which, waiting }: { which: Which; waiting: ConnectBody }) {
  const place = [t.froms[waiting.from], waiting.address, waiting.country].filter((part) => part !== null).join(" · ");
  const facts: [string, string][] = [
    ...("code" in which ? [[t.codeShown, which.code.toUpperCase()] satisfies [string, string]] : []),
    [t.platform, waiting.platform],
    [t.version, waiting.agentVersion],
    [t.from, place],
  ];
  return (
    <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-card border border-line px-4 py-3">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-fg-3">{name}</dt>
          <dd className="[overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Answered({ name, isApproved, redirectTo, browserKey }: { name: string; isApproved: boolean } & AnsweredBody) {
  const target = redirectTo !== null && isLoopbackAddress(redirectTo) ? redirectTo : null;
  useEffect(() => {
    if (target !== null) location.replace(target);
  }, [target]);
  return (
    <div aria-live="polite">
      <h1 className="text-head font-semibold">{isApproved ? t.approved : t.declined}</h1>
      {target === null ? (
        <>
          <p className="mt-1 text-fg-2">{isApproved ? t.approvedText(name) : t.declinedText}</p>
          {isApproved && <Fingerprint browserKey={browserKey} />}
        </>
      ) : (
        <>
          <p className="mt-1 mb-3 text-fg-2">{t.returning}</p>
          <a href={target} className={buttonClass()}>
            {t.next}
          </a>
        </>
      )}
    </div>
  );
}
