/** The commands that bring a computer, and the wait for it: once it is connected, this says so by itself. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { CircleCheck, LoaderCircle, Plus } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { useMachinesSoon } from "../settings/use-settings.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { arrivedSince, presentIds } from "./arrivals.ts";
import { CommandLine } from "./CommandLine.tsx";
import { t } from "./messages.ts";
import { useCommands } from "./use-program.ts";

export function AddMachine({ machines }: { machines: readonly MachineBody[] }) {
  // With no computer of one's own, the way to one is what the page is for.
  const [isFirst] = useState(() => !machines.some(({ isOperator }) => !isOperator));
  const [before, setBefore] = useState<ReadonlySet<string> | null>(() => (isFirst ? presentIds(machines) : null));
  if (before === null) {
    return (
      <Button className="w-fit" onClick={() => setBefore(presentIds(machines))}>
        <Plus aria-hidden className="icon" />
        {t.add.open}
      </Button>
    );
  }
  return <Steps arrived={arrivedSince(before, machines)} onClose={isFirst ? null : () => setBefore(null)} />;
}

function Step({ number, text, children }: { number: number; text: ReactNode; children: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span
        aria-hidden
        className="tabular flex size-5 flex-none items-center justify-center rounded-full bg-sunken text-meta font-medium text-fg-2"
      >
        {number}
      </span>
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p>{text}</p>
        {children}
      </div>
    </li>
  );
}

function Steps({ arrived, onClose }: { arrived: MachineBody | null; onClose: (() => void) | null }) {
  useMachinesSoon(arrived === null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Opened by a press: the focus goes with what it opened.
    if (onClose !== null) heading.current?.focus();
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- at the opening only
  }, []);
  const { login, connect } = useCommands();
  return (
    <section aria-label={t.add.title} className="rounded-card border border-line px-4 py-3.5">
      <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
        {t.add.title}
      </h3>
      <p className="mt-0.5 mb-3 text-label text-fg-3">{t.add.about}</p>
      <ol className="flex flex-col gap-3.5">
        <Step number={1} text={t.add.signIn}>
          <CommandLine command={login} />
          <p className="text-label text-fg-3">
            {t.add.headless}{" "}
            <Link href={paths.connect} className="text-accent underline underline-offset-2">
              {location.host}
              {paths.connect}
            </Link>
            .
          </p>
        </Step>
        <Step number={2} text={t.add.connect}>
          <CommandLine command={connect} />
        </Step>
      </ol>
      <div className="mt-4 flex flex-wrap items-center gap-2 border-t border-line pt-3">
        <output className="flex flex-1 items-center gap-2 text-fg-2">
          {arrived === null ? (
            <>
              <LoaderCircle aria-hidden className="icon animate-spin text-accent" />
              {t.add.waiting}
            </>
          ) : (
            <>
              <CircleCheck aria-hidden className="icon text-ok" />
              <span className="font-medium text-fg">{t.add.arrived(arrived.name)}</span>
            </>
          )}
        </output>
        {arrived !== null && (
          <Link href={paths.newSession()} className={buttonClass("primary")}>
            {t.add.start}
          </Link>
        )}
        {onClose !== null && <Button onClick={onClose}>{t.add.close}</Button>}
      </div>
    </section>
  );
}
