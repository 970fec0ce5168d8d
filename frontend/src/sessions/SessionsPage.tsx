/** The first page: what needs you, what runs, what was done; or how to begin when there is nothing yet. */
import { Plus, Search } from "lucide-react";
import { lazy, Suspense, useRef, useState, type KeyboardEvent } from "react";
import { Link, useSearch } from "wouter";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { useConfig } from "../auth/use-me.ts";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { useProjects } from "../projects/use-projects.ts";
import { paths } from "../routes.ts";
import { activeKey, useKeys, useSettings } from "../settings/use-settings.ts";
import { AppShell } from "../shell/AppShell.tsx";
import { PageHeader } from "../shell/PageHeader.tsx";
import { shell } from "../shell/shell-state.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { ChipSelect } from "../ui/chip-select.tsx";
import { formatCount } from "../ui/format.ts";
import { FIELD_CLASS } from "../ui/text-field.tsx";
import { EmptyList } from "./EmptyList.tsx";

import { t } from "./messages.ts";
import { filterSessions, groupSessions } from "./session-list.ts";
import { SessionGroups } from "./SessionGroups.tsx";
import { useListKeys } from "./use-list-keys.ts";
import { useArchiveWithUndo } from "./use-archive.ts";
import { useSessions } from "./use-sessions.ts";

const FirstRun = lazy(() => import("./FirstRun.tsx").then((module) => ({ default: module.FirstRun })));

export default function SessionsPage() {
  const isArchived = new URLSearchParams(useSearch()).get("archived") === "1";
  const sessions = useSessions(isArchived);
  return (
    <AppShell>
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <PageHeader title={isArchived ? t.archivedTitle : t.title}>
          {!isArchived && (
            <Button variant="primary" size="sm" className="max-md:hidden" aria-keyshortcuts="C" onClick={() => shell.setNewSession(true)}>
              <Plus aria-hidden className="icon size-3.5" />
              {t.newSession}
            </Button>
          )}
        </PageHeader>
        <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
          <div className="mx-auto w-full max-w-[1080px] px-2 py-3 max-md:pb-24 md:px-6">
            {sessions.data !== undefined ? (
              <Content key={String(isArchived)} sessions={sessions.data} isArchived={isArchived} />
            ) : sessions.isError ? (
              <LoadFailed message={messageOf(sessions.error)} retry={() => void sessions.refetch()} />
            ) : (
              <Skeleton />
            )}
          </div>
        </div>
        {!isArchived && (
          <button
            type="button"
            aria-label={t.newSession}
            onClick={() => shell.setNewSession(true)}
            className="fixed right-4 bottom-[max(16px,env(safe-area-inset-bottom))] flex size-14 items-center justify-center rounded-full bg-ink text-on-ink shadow-overlay md:hidden"
          >
            <Plus aria-hidden className="size-6 stroke-[1.75]" />
          </button>
        )}
      </main>
    </AppShell>
  );
}

function Content({ sessions, isArchived }: { sessions: SessionBody[]; isArchived: boolean }) {
  const keys = useKeys();
  const settings = useSettings();
  const config = useConfig();
  if (keys.isPending || settings.isPending || config.isPending) return <Skeleton />;
  const mayStart = activeKey(keys.data) !== null || (settings.data?.useDemoModel === true && config.data?.demoModel === true);
  // A list that could not be read says nothing about a missing key.
  const isFirstRun = !isArchived && config.data?.features.agent !== false && keys.isSuccess && settings.isSuccess && !mayStart;
  if (!isFirstRun && !isArchived && sessions.length === 0) return <EmptyList />;
  return (
    <>
      {isFirstRun && (
        <Suspense fallback={<Skeleton />}>
          <FirstRun hasDemo={config.data?.demoModel === true} />
        </Suspense>
      )}
      {(sessions.length > 0 || isArchived) && <FilteredList sessions={sessions} isArchived={isArchived} />}
    </>
  );
}

function FilteredList({ sessions, isArchived }: { sessions: SessionBody[]; isArchived: boolean }) {
  const [text, setText] = useState("");
  const [projectId, setProjectId] = useState("");
  const projects = useProjects();
  const archive = useArchiveWithUndo();
  const filter = useRef<HTMLInputElement>(null);
  const groups = groupSessions(filterSessions(sessions, { text, projectId: projectId === "" ? null : projectId }));
  const shown = groups.flatMap((group) => group.sessions);
  const { container, focusFirst } = useListKeys(shown, archive);
  useShortcuts({ compose: () => filter.current?.focus() });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      if (text === "") filter.current?.blur();
      else setText("");
    }
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      focusFirst();
    }
  };
  const options = [
    { value: "", label: t.allProjects },
    ...(projects.data ?? []).map(({ projectId, name }) => ({ value: projectId, label: name })),
  ];
  return (
    <>
      <div className="mb-1 flex flex-wrap items-center gap-2 px-2">
        <div className="relative min-w-48 flex-1 max-md:basis-full">
          <Search aria-hidden className="icon pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-fg-3" />
          <input
            ref={filter}
            type="search"
            aria-label={t.filter}
            aria-keyshortcuts="/"
            placeholder={t.filterPlaceholder}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            className={`${FIELD_CLASS} h-8 pl-8 pointer-coarse:h-11`}
          />
        </div>
        <ChipSelect label={t.project} value={projectId} options={options} onChange={setProjectId} />
        {projectId !== "" && (
          <Link
            href={paths.project(projectId)}
            className="inline-flex items-center rounded-control px-2 py-1 text-fg-2 hover:bg-hover pointer-coarse:min-h-11"
          >
            {t.projectPage}
          </Link>
        )}
        <Link
          href={isArchived ? paths.sessions : paths.archived}
          className="inline-flex items-center rounded-control px-2 py-1 text-fg-2 hover:bg-hover pointer-coarse:min-h-11"
        >
          {isArchived ? t.backToSessions : t.showArchived}
        </Link>
      </div>
      <SessionGroups groups={groups} archive={archive} ref={container} />
      {shown.length === 0 && (
        <p className="px-2 py-8 text-center text-fg-3">
          {sessions.length === 0 ? t.noArchived : t.noMatch}{" "}
          {sessions.length > 0 && (
            <Button variant="ghost" size="sm" onClick={() => [setText(""), setProjectId("")]}>
              {t.clearFilter}
            </Button>
          )}
        </p>
      )}
      <output className="sr-only">{text === "" ? "" : t.matches(formatCount(shown.length))}</output>
    </>
  );
}

const SKELETON_ROWS = [0, 1, 2, 3, 4];

function Skeleton() {
  return (
    <div aria-busy className="animate-skeleton px-2 pt-14">
      <span className="sr-only">{t.loading}</span>
      {SKELETON_ROWS.map((row) => (
        <div key={row} className="flex h-11 items-center gap-3 border-b border-line pointer-coarse:h-14">
          <span className="size-2 rounded-full bg-line-strong" />
          <span className="h-3 w-1/3 rounded-chip bg-line" />
          <span className="ml-auto h-3 w-10 rounded-chip bg-line" />
        </div>
      ))}
    </div>
  );
}

function LoadFailed({ message, retry }: { message: string; retry: () => void }) {
  return (
    <Callout tone="bad" alert>
      <p>
        {t.loadFailed} {message}
      </p>
      <Button size="sm" className="mt-2" onClick={retry}>
        {t.retry}
      </Button>
    </Callout>
  );
}
