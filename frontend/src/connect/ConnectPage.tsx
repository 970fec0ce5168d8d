/**
 * Where a signed-in person lets a computer sign in. It shows who asks and what follows before it offers to approve, and never
 * approves by itself: a link, also one with the code in it, is not a consent.
 */
import { useState, type ReactNode } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { messageOf } from "../api/client.ts";
import { BrandMark } from "../auth/Brand.tsx";
import { RequireUser } from "../auth/RequireUser.tsx";
import { t as brand } from "../auth/messages.ts";
import { CommandLine } from "../machines/CommandLine.tsx";
import { useCommands } from "../machines/use-program.ts";
import { QueryProvider } from "../query-provider.tsx";
import { paths } from "../routes.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { TextField } from "../ui/text-field.tsx";
import { Approval } from "./Approval.tsx";
import { t } from "./messages.ts";
import { mayTypeAgain, useWaiting, whichOf, type Which } from "./use-connect.ts";

export default function ConnectPage() {
  usePageTitle(t.title);
  return (
    <QueryProvider>
      <RequireUser>
        <main className="flex h-full flex-col items-center overflow-y-auto px-4 py-[6vh] md:py-[10vh]">
          <div className="w-full max-w-[440px]">
            <div className="mb-6 flex items-center gap-2">
              <BrandMark />
              <span className="font-semibold">{brand.brand}</span>
            </div>
            <Connect />
          </div>
        </main>
      </RequireUser>
    </QueryProvider>
  );
}

function Connect() {
  const search = useSearch();
  const which = whichOf(search);
  return which === null ? <CodeForm /> : <Waiting key={search} which={which} />;
}

function CodeForm({ problem }: { problem?: ReactNode }) {
  const [, navigate] = useLocation();
  const [code, setCode] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== "") navigate(`/connect?code=${encodeURIComponent(code.trim())}`);
      }}
      className="flex flex-col gap-3"
    >
      <h1 className="text-head font-semibold">{t.title}</h1>
      <p className="text-fg-2">{t.typeCode}</p>
      {problem}
      <TextField
        label={t.code}
        hint={t.codeHint}
        value={code}
        onChange={(event) => setCode(event.target.value)}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={20}
        className="[&_input]:font-mono [&_input]:uppercase"
      />
      <Button type="submit" variant="primary" className="w-fit">
        {t.next}
      </Button>
    </form>
  );
}

function Over({ problem }: { problem: ReactNode }) {
  const { login } = useCommands();
  return (
    <div className="flex flex-col gap-3">
      <h1 className="text-head font-semibold">{t.over}</h1>
      {problem}
      <p className="text-fg-2">{t.again}</p>
      <CommandLine command={login} />
      <Link href={paths.connect} className="w-fit py-1 text-accent underline underline-offset-2">
        {t.otherCode}
      </Link>
    </div>
  );
}

function Waiting({ which }: { which: Which }) {
  const waiting = useWaiting(which);
  if (waiting.data !== undefined) return <Approval which={which} waiting={waiting.data} />;
  if (waiting.isPending)
    return (
      <p aria-live="polite" className="text-fg-2">
        {t.looking}
      </p>
    );
  const problem = (
    <Callout tone="bad" alert>
      {messageOf(waiting.error)}
    </Callout>
  );
  // Nobody types what a program handed over: it begins again on the computer.
  if (mayTypeAgain(waiting.error) && "login" in which) return <Over problem={problem} />;
  if (mayTypeAgain(waiting.error)) return <CodeForm problem={problem} />;
  return (
    <>
      {problem}
      <Button className="mt-3" onClick={() => void waiting.refetch()}>
        {brand.retry}
      </Button>
    </>
  );
}
