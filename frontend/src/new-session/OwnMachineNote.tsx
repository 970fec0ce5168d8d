/** What it means that a session begins on one's own machine: whose login answers, and whether it will listen to this browser. */
import { Link } from "wouter";
import { useMe } from "../auth/use-me.ts";
import { paths } from "../routes.ts";
import { t as place } from "../session-page/place-messages.ts";
import { shell } from "../shell/shell-state.ts";
import { useBrowserKey } from "../signing/use-browser-key.ts";
import { Callout } from "../ui/callout.tsx";

const loginHint = (machine: string): string =>
  `Claude on ${machine} answers with the login it has there. It counts on that plan and costs nothing here; no key is used.`;

export default function OwnMachineNote({ machine, usesLogin }: { machine: string; usesLogin: boolean }) {
  const me = useMe();
  const key = useBrowserKey(me.data?.userId);
  return (
    <>
      {key.data === null && (
        <Callout tone="warn">
          {place.signed.noKey}{" "}
          <Link
            href={paths.settings("machines")}
            onClick={() => shell.setOverlay(null)}
            className="font-medium text-accent underline underline-offset-2"
          >
            {place.signed.setUp}
          </Link>
        </Callout>
      )}
      {usesLogin && <p className="px-1 text-label text-fg-2">{loginHint(machine)}</p>}
    </>
  );
}
