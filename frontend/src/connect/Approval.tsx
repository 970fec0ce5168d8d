/** Who asks, what it would be allowed, and the two answers. */
import { Check, Monitor, X, type LucideIcon } from "lucide-react";
import { useEffect } from "react";
import { Link } from "wouter";
import type { ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { messageOf } from "../api/client.ts";
import { useMe } from "../auth/use-me.ts";
import { paths } from "../routes.ts";
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
      <span aria-hidden className="mb-3 flex size-11 items-center justify-center rounded-dock border border-line bg-surface text-fg-2">
        <Monitor className="size-5 stroke-[1.75]" />
      </span>
      <h1 className="text-head font-semibold [overflow-wrap:anywhere]">
        {waiting.isKnown ? t.asksAgain(waiting.name) : t.asks(waiting.name)}
      </h1>
      {me.data && <p className="mt-1 text-fg-2">{t.as(me.data.name, me.data.email)}</p>}
      {"code" in which && <Code code={which.code} />}
      <Facts waiting={waiting} />
      <Consequences title={t.allows} lines={t.allowsList} Mark={Check} look="text-ok" />
      <Consequences title={t.never} lines={t.neverList} Mark={X} look="text-fg-3" />
      <div className="mt-4">
        <Callout tone="warn">
          {t.startedThis} {waiting.from === "other_network" && t.elsewhere}
        </Callout>
      </div>
      {answer.isError && (
        <div className="mt-3">
          <Callout tone="bad" alert>
            {messageOf(answer.error)}
          </Callout>
        </div>
      )}
      <div className="mt-5 flex gap-2 max-sm:*:flex-1">
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

/** Letter by letter, as the computer shows it. */
function Code({ code }: { code: string }) {
  return (
    <div className="mt-4 rounded-card border border-line bg-sunken px-4 py-3 text-center">
      <p className="text-label text-fg-2">{t.checkCode}</p>
      <p className="mt-1 font-mono text-[24px]/8 font-semibold tracking-[.12em]">{code.toUpperCase()}</p>
    </div>
  );
}

interface ConsequencesProps {
  title: string;
  lines: readonly string[];
  Mark: LucideIcon;
  look: string;
}

function Consequences({ title, lines, Mark, look }: ConsequencesProps) {
  return (
    <section aria-label={title} className="mt-4">
      <h2 className="font-medium">{title}</h2>
      <ul className="mt-1 flex flex-col gap-1 text-fg-2">
        {lines.map((line) => (
          <li key={line} className="flex gap-2">
            <Mark aria-hidden className={`mt-0.5 size-4 flex-none stroke-[1.75] ${look}`} />
            {line}
          </li>
        ))}
      </ul>
    </section>
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
    <div className="mt-4 rounded-card border border-line bg-sunken px-4 py-3">
      <p className="text-fg-2">{t.compare}</p>
      <p className="mt-2 text-center font-mono text-[20px]/8 font-semibold tracking-[.06em] whitespace-nowrap max-sm:text-[17px]">
        {browserKey.fingerprint}
      </p>
    </div>
  );
}

function Facts({ waiting }: { waiting: ConnectBody }) {
  const place = [t.froms[waiting.from], waiting.address, waiting.country].filter((part) => part !== null).join(" · ");
  const facts: [string, string][] = [
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
      <span aria-hidden className="mb-3 flex size-11 items-center justify-center rounded-dock border border-line bg-surface">
        {isApproved ? <Check className="size-5 stroke-2 text-ok" /> : <X className="size-5 stroke-2 text-fg-3" />}
      </span>
      <h1 className="text-head font-semibold">{isApproved ? t.approved : t.declined}</h1>
      {target === null ? (
        <>
          <p className="mt-1 text-fg-2">{isApproved ? t.approvedText(name) : t.declinedText}</p>
          {isApproved && <Fingerprint browserKey={browserKey} />}
          <Link href={isApproved ? paths.settings("machines") : paths.sessions} className={`${buttonClass()} mt-5`}>
            {isApproved ? t.toMachines : t.toSessions}
          </Link>
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
