import { Keyboard, Plus, Settings } from "lucide-react";
import { Link, useLocation } from "wouter";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { BrandMark } from "../auth/Brand.tsx";
import { preloadPage } from "../pages.ts";
import { paths } from "../routes.ts";
import { t as listMessages } from "../sessions/messages.ts";
import { describeSession, dotOf, groupSessions } from "../sessions/session-list.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { useMachines } from "../settings/use-settings.ts";
import { IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatCount } from "../ui/format.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { shell } from "./shell-state.ts";

const SHOWN_RECENT = 40;

/** The list of sessions with its foot; the same in the column and in the drawer. */
export function Sidebar() {
  const sessions = useSessions();
  const groups = groupSessions(sessions.data ?? []);
  return (
    <div className="flex h-full min-h-0 flex-col bg-sunken">
      <div className="flex h-11 flex-none items-center gap-2 pr-2 pl-3">
        <Link
          href={paths.sessions}
          className="flex min-w-0 flex-1 items-center gap-2 rounded-control py-1 font-semibold pointer-coarse:min-h-11"
        >
          <BrandMark />
          <span className="truncate">{t.brand}</span>
        </Link>
        <IconButton label={t.newSession} aria-keyshortcuts="C" onClick={() => shell.setNewSession(true)}>
          <Plus />
        </IconButton>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-2" tabIndex={-1}>
        {groups.map(({ name, sessions: rows }) => (
          <section key={name} aria-label={listMessages.groups[name]}>
            <h2 className="flex justify-between px-2 pt-3 pb-1 text-meta font-medium text-fg-3">
              {listMessages.groups[name]}
              {name !== "recent" && <span className="tabular">{formatCount(rows.length)}</span>}
            </h2>
            <ul>
              {rows.slice(0, SHOWN_RECENT).map((session) => (
                <SidebarRow key={session.sessionId} session={session} />
              ))}
            </ul>
          </section>
        ))}
        {sessions.data?.length === 0 && <p className="px-2 py-3 text-fg-3">{t.noSessions}</p>}
        {(sessions.data?.length ?? 0) > SHOWN_RECENT && (
          <Link href={paths.sessions} className="mt-1 block rounded-control px-2 py-1.5 text-label text-fg-2 hover:bg-hover">
            {t.allSessions}
          </Link>
        )}
      </div>
      <SidebarFoot isReachable={!sessions.isError} />
    </div>
  );
}

function SidebarRow({ session }: { session: SessionBody }) {
  const [location] = useLocation();
  const href = paths.session(session.sessionId);
  const isCurrent = location === href;
  return (
    <li>
      <Link
        href={href}
        onPointerEnter={() => preloadPage(href)}
        aria-current={isCurrent ? "page" : undefined}
        onClick={() => shell.setDrawer(false)}
        className={classes(
          "flex items-start gap-2.5 rounded-card border px-2 py-1.5 -outline-offset-2 pointer-coarse:py-2.5",
          isCurrent ? "border-line bg-surface" : "border-transparent hover:bg-hover",
        )}
      >
        <span className="flex h-[19px] items-center">
          <StateDot state={dotOf(session)} label="" />
        </span>
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate font-medium">{session.title}</span>
            <span className="text-label text-fg-3">
              <RelativeTime at={session.updatedAt} />
            </span>
          </span>
          <span className="block truncate text-label text-fg-2">{describeSession(session)}</span>
        </span>
      </Link>
    </li>
  );
}

function SidebarFoot({ isReachable }: { isReachable: boolean }) {
  const machines = useMachines();
  const online = (machines.data ?? []).filter((machine) => machine.isOnline);
  const [first] = online;
  const machineWord =
    first === undefined ? t.noMachine : online.length === 1 ? t.machine(first.name) : t.machines(formatCount(online.length));
  return (
    <div className="flex flex-none items-center gap-1 border-t border-line px-2 py-1.5 pb-[max(6px,env(safe-area-inset-bottom))]">
      <Link
        href={paths.settings("machines")}
        className="flex min-w-0 flex-1 flex-col justify-center rounded-control px-2 py-1 text-label text-fg-2 hover:bg-hover pointer-coarse:min-h-11"
      >
        <span className="flex items-center gap-2">
          <StateDot state={isReachable ? "done" : "failed"} label="" />
          {isReachable ? t.connected : t.unreachable}
        </span>
        {machines.data !== undefined && (
          <span className="flex items-center gap-2 text-fg-3">
            <StateDot state={first === undefined ? "offline" : "done"} label="" />
            <span className="truncate">{machineWord}</span>
          </span>
        )}
      </Link>
      <Link href={paths.settings("shortcuts")} aria-label={t.shortcuts} className={FOOT_LINK}>
        <Keyboard aria-hidden className="icon" />
      </Link>
      <Link href={paths.settings("account")} aria-label={t.settings} className={FOOT_LINK}>
        <Settings aria-hidden className="icon" />
      </Link>
    </div>
  );
}

const FOOT_LINK =
  "inline-flex size-8 flex-none items-center justify-center rounded-control text-fg-2 hover:bg-hover hover:text-fg pointer-coarse:size-11";
