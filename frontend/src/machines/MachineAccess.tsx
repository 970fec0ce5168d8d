/**
 * Who may use the owner's machine in this session. What is chosen here is signed by this browser and done by the machine, which
 * says so in the conversation; no state of it is known here, so that none is shown.
 */
import type { BrowserKeyBody } from "@ai-dev-platform/protocol/http";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import type { MachineCommand } from "@ai-dev-platform/protocol/signing";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { failureReason } from "../session-page/failure.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { useBrowserKey } from "../signing/use-browser-key.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { t } from "./access-messages.ts";
import { useBrowserKeys } from "./use-browser-keys.ts";

function useMachineCommand() {
  const actions = useActions();
  const [state, setState] = useState<{ is: "idle" | "sending" | "sent" } | { is: "failed"; why: string }>({ is: "idle" });
  const send = (command: MachineCommand) => {
    setState({ is: "sending" });
    actions.commandMachine(command).then(
      () => setState({ is: "sent" }),
      (error: unknown) => setState({ is: "failed", why: failureReason(error) }),
    );
  };
  return { state, send };
}

export default function MachineAccess({ onClose }: { onClose: () => void }) {
  const viewer = useViewer();
  const here = useBrowserKey(viewer?.userId ?? undefined);
  const keys = useBrowserKeys();
  const { state, send } = useMachineCommand();
  const isReady = here.data !== null && here.data !== undefined && state.is !== "sending";
  const others = (keys.data ?? []).filter(({ keyId }) => keyId !== here.data?.keyId);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t.title} description={t.about}>
      <div className="flex flex-col gap-4">
        {here.data === null && (
          <Callout tone="warn">
            {t.noKey}{" "}
            <Link href={paths.settings("machines")} className="font-medium text-accent underline underline-offset-2">
              {t.machines}
            </Link>
          </Callout>
        )}
        <Part title={t.people}>
          <p className="mb-2 text-fg-2">{t.peopleText}</p>
          <div className="flex flex-wrap gap-2">
            <Button disabled={!isReady} onClick={() => send({ kind: "allow_collaborators", allowed: true })}>
              {t.allow}
            </Button>
            <Button disabled={!isReady} onClick={() => send({ kind: "allow_collaborators", allowed: false })}>
              {t.forbid}
            </Button>
          </div>
        </Part>
        <Part title={t.browsers}>
          <p className="mb-1 text-fg-2">{others.length === 0 ? t.noOthers : t.compare}</p>
          <ul className="divide-y divide-line">
            {others.map((key) => (
              <OtherBrowser key={key.keyId} browserKey={key} isReady={isReady} send={send} />
            ))}
          </ul>
        </Part>
        <output className="text-ui text-fg-2">{state.is === "sent" ? t.sent : state.is === "sending" ? t.sending : ""}</output>
        {state.is === "failed" && (
          <Callout tone="bad" alert>
            {state.why}
          </Callout>
        )}
      </div>
    </Dialog>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

interface OtherBrowserProps {
  browserKey: BrowserKeyBody;
  isReady: boolean;
  send: (command: MachineCommand) => void;
}

function OtherBrowser({ browserKey: { keyId, publicKey, name }, isReady, send }: OtherBrowserProps) {
  return (
    <li className="flex flex-wrap items-center gap-2 py-2">
      <p className="min-w-40 flex-1">
        {name}
        <span className="block font-mono text-mono [overflow-wrap:anywhere] text-fg-2">{fingerprintOf(keyId)}</span>
      </p>
      <Button
        size="sm"
        aria-label={t.listenLabel(name)}
        disabled={!isReady}
        onClick={() => send({ kind: "pin_key", keyId, publicKey, name })}
      >
        {t.listen}
      </Button>
      <Button
        size="sm"
        variant="danger"
        aria-label={t.dropLabel(name)}
        disabled={!isReady}
        onClick={() => send({ kind: "unpin_key", keyId })}
      >
        {t.drop}
      </Button>
    </li>
  );
}
