import { Archive, ArchiveRestore } from "lucide-react";
import type { Ref } from "react";
import { Link } from "wouter";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { hasDraft } from "../session/drafts.ts";
import { preloadPage } from "../pages.ts";
import { paths } from "../routes.ts";
import { IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatCount, formatUsd } from "../ui/format.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { describeSession, dotOf, type Group } from "./session-list.ts";
import type { ArchiveSession } from "./use-archive.ts";

interface SessionGroupsProps {
  groups: readonly Group[];
  archive: ArchiveSession;
  ref: Ref<HTMLDivElement>;
}

export function SessionGroups({ groups, archive, ref }: SessionGroupsProps) {
  return (
    <div ref={ref}>
      {groups.map(({ name, sessions }) => (
        <section key={name} aria-labelledby={`group-${name}`} className="mt-3">
          <h2
            id={`group-${name}`}
            className={classes(
              "flex items-center gap-2 px-2 pb-1 text-label font-medium",
              name === "needs_you" ? "text-warn" : "text-fg-3",
            )}
          >
            {t.groups[name]} <span className="tabular font-normal">{formatCount(sessions.length)}</span>
          </h2>
          <ul className="border-t border-line">
            {sessions.map((session) => (
              <SessionRow key={session.sessionId} session={session} archive={archive} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function SessionRow({ session, archive }: { session: SessionBody; archive: ArchiveSession }) {
  const isArchived = session.archivedAt !== null;
  const href = paths.session(session.sessionId);
  return (
    <li className="group relative flex items-center border-b border-line focus-within:bg-hover hover:bg-hover">
      <Link
        href={href}
        onPointerEnter={() => preloadPage(href)}
        data-session-id={session.sessionId}
        className="flex min-h-14 min-w-0 flex-1 items-center gap-3 rounded-control py-1.5 pr-2 pl-2 -outline-offset-2 md:min-h-11 md:py-0"
      >
        <StateDot state={dotOf(session)} label="" />
        <span className="min-w-0 flex-1 md:flex md:items-center md:gap-4">
          <span className="flex min-w-0 items-center gap-2 md:w-[38%] md:flex-none">
            <span className="truncate font-medium pointer-coarse:text-body">{session.title}</span>
            {hasDraft(session.sessionId) && <Chip text={t.draft} />}
            {session.modelSource === "demo" && <Chip text={t.demo} />}
          </span>
          <span className="block truncate text-label text-fg-3 md:w-40 md:flex-none md:text-ui">
            {session.projectName}
            <span className="md:hidden"> · {describeSession(session)}</span>
          </span>
          <span className={classes("hidden min-w-0 flex-1 truncate md:block", session.state === "needs_you" ? "text-fg" : "text-fg-2")}>
            {describeSession(session)}
          </span>
          <span className="tabular hidden w-16 flex-none text-right text-fg-3 md:block">
            {session.costUsd > 0 ? formatUsd(session.costUsd) : ""}
          </span>
        </span>
        <span className="w-10 flex-none text-right text-label text-fg-3 md:group-focus-within:opacity-0 md:group-hover:opacity-0">
          <RelativeTime at={session.updatedAt} />
        </span>
      </Link>
      <span className="pointer-coarse:static absolute right-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <IconButton
          label={isArchived ? t.restoreLabel(session.title) : t.archiveLabel(session.title)}
          size="sm"
          onClick={() => archive(session)}
        >
          {isArchived ? <ArchiveRestore /> : <Archive />}
        </IconButton>
      </span>
    </li>
  );
}

function Chip({ text }: { text: string }) {
  return <span className="flex-none rounded-chip border border-line px-1 text-meta text-fg-3">{text}</span>;
}
