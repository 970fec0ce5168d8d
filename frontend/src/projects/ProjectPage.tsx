/** One project: its sessions, its name and trust, and its end. */
import { Plus } from "lucide-react";
import { lazy, Suspense, useState, type FormEvent } from "react";
import { Link } from "wouter";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { groupSessions } from "../sessions/session-list.ts";
import { SessionGroups } from "../sessions/SessionGroups.tsx";
import { useArchiveWithUndo } from "../sessions/use-archive.ts";
import { useListKeys } from "../sessions/use-list-keys.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { AppShell } from "../shell/AppShell.tsx";
import { NotFoundPage } from "../shell/NotFoundPage.tsx";
import { PageHeader } from "../shell/PageHeader.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Checkbox } from "../ui/checkbox.tsx";
import { TextField } from "../ui/text-field.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { RemoveProject } from "./RemoveProject.tsx";
import { useProjectActions, useProjects } from "./use-projects.ts";

const ProjectPrograms = lazy(() => import("../providers/ProjectPrograms.tsx"));

export default function ProjectPage({ projectId }: { projectId: string }) {
  const projects = useProjects();
  const project = projects.data?.find((candidate) => candidate.projectId === projectId);
  if (projects.isSuccess && project === undefined) return <NotFoundPage />;
  return (
    <AppShell>
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <PageHeader title={project?.name ?? ""}>
          <Link href={paths.newSession(projectId)} className={buttonClass("primary", "sm")}>
            <Plus aria-hidden className="icon size-3.5" />
            {t.newSession}
          </Link>
        </PageHeader>
        <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
          <div className="mx-auto w-full max-w-[960px] px-2 py-3 md:px-6">
            {project !== undefined && <Project project={project} />}
            {projects.isError && (
              <Callout tone="bad" alert>
                {t.loadFailed} {messageOf(projects.error)}{" "}
                <Button size="sm" onClick={() => void projects.refetch()}>
                  {t.retry}
                </Button>
              </Callout>
            )}
          </div>
        </div>
      </main>
    </AppShell>
  );
}

const sourceWords = ({ source }: ProjectBody): string => {
  switch (source.kind) {
    case "git":
      return t.sources.git(source.url, source.branch);
    case "archive":
      return t.sources.archive(source.name);
    case "path":
      return t.sources.path(source.path);
    default:
      return t.sources.empty;
  }
};

function Project({ project }: { project: ProjectBody }) {
  const sessions = useSessions();
  const archive = useArchiveWithUndo();
  const groups = groupSessions((sessions.data ?? []).filter((session) => session.projectId === project.projectId));
  const { container } = useListKeys(
    groups.flatMap((group) => group.sessions),
    archive,
  );
  return (
    <div className="flex flex-col gap-6">
      <dl className="flex flex-wrap gap-x-8 gap-y-1 px-2 text-fg-2 [&_dt]:text-fg-3 [&>div]:flex [&>div]:min-w-0 [&>div]:gap-2">
        <div>
          <dt>{t.source}</dt>
          <dd className="min-w-0 break-all">{sourceWords(project)}</dd>
        </div>
        <div>
          <dt>{t.created}</dt>
          <dd>
            <RelativeTime at={project.createdAt} inWords />
          </dd>
        </div>
      </dl>
      <section aria-label={t.sessions}>
        <SessionGroups groups={groups} archive={archive} ref={container} />
        {sessions.isSuccess && groups.length === 0 && <p className="px-2 text-fg-3">{t.noSessions}</p>}
      </section>
      <Suspense fallback={null}>
        <ProjectPrograms project={project} />
      </Suspense>
      <ProjectSettings key={project.name} project={project} />
    </div>
  );
}

function ProjectSettings({ project }: { project: ProjectBody }) {
  const { patch } = useProjectActions();
  const [name, setName] = useState(project.name);
  const { projectId } = project;
  const rename = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") patch.mutate({ projectId, name: name.trim() }, { onSuccess: () => toast(t.saved) });
  };
  return (
    <section aria-label={t.settings} className="flex max-w-[560px] flex-col gap-3 px-2">
      <h2 className="text-label font-medium text-fg-3">{t.settings}</h2>
      {project.archivedAt !== null && <Callout tone="plain">{t.archived}</Callout>}
      <form onSubmit={rename} className="flex items-end gap-2">
        <TextField label={t.name} className="flex-1" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" disabled={name.trim() === "" || name.trim() === project.name || patch.isPending}>
          {t.rename}
        </Button>
      </form>
      <Checkbox
        checked={project.trustProject}
        onChange={(trustProject) => patch.mutate({ projectId, trustProject }, { onSuccess: () => toast(t.saved) })}
      >
        {t.trust}
      </Checkbox>
      {patch.isError && (
        <Callout tone="bad" alert>
          {messageOf(patch.error)}
        </Callout>
      )}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => patch.mutate({ projectId, archived: project.archivedAt === null })}>
          {project.archivedAt === null ? t.archive : t.restore}
        </Button>
        <RemoveProject project={project} />
      </div>
    </section>
  );
}
