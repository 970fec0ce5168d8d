import { lazy, Suspense } from "react";
import { Choice } from "../ui/choice.tsx";
import { TextField } from "../ui/text-field.tsx";
import type { NewSessionDraft, Problems, SourceKind } from "./draft.ts";
import { t } from "./messages.ts";

const ArchiveField = lazy(() => import("./ArchiveField.tsx").then((module) => ({ default: module.ArchiveField })));

interface NewProjectFieldsProps {
  draft: NewSessionDraft;
  change: (patch: Partial<NewSessionDraft>) => void;
  problems: Problems;
  allowsPaths: boolean;
}

const QUIET = { autoCapitalize: "off", autoCorrect: "off", spellCheck: false } as const;

export function NewProjectFields({ draft, change, problems, allowsPaths }: NewProjectFieldsProps) {
  const kinds: readonly SourceKind[] = allowsPaths ? ["empty", "git", "archive", "path"] : ["empty", "git", "archive"];
  return (
    <div className="flex flex-col gap-3 rounded-card border border-line p-3">
      <Choice
        inline
        label={t.source}
        value={draft.sourceKind}
        onChange={(sourceKind) => change({ sourceKind })}
        options={kinds.map((kind) => ({ value: kind, label: t.sources[kind] }))}
      />
      {draft.sourceKind === "git" && (
        <div className="grid gap-3 md:grid-cols-[1fr_180px]">
          <TextField
            {...QUIET}
            label={t.gitUrl}
            hint={t.gitUrlHint}
            inputMode="url"
            value={draft.gitUrl}
            error={problems.gitUrl}
            maxLength={2_000}
            onChange={(event) => change({ gitUrl: event.target.value })}
          />
          <TextField
            {...QUIET}
            label={t.gitBranch}
            hint={t.gitBranchHint}
            value={draft.gitBranch}
            maxLength={200}
            onChange={(event) => change({ gitBranch: event.target.value })}
          />
        </div>
      )}
      {draft.sourceKind === "archive" && (
        <Suspense fallback={<div className="h-48" />}>
          <ArchiveField archive={draft.archive} error={problems.archive} onChange={(archive) => change({ archive })} />
        </Suspense>
      )}
      {draft.sourceKind === "path" && (
        <TextField
          {...QUIET}
          label={t.path}
          hint={t.pathHint}
          value={draft.path}
          error={problems.path}
          maxLength={4_096}
          onChange={(event) => change({ path: event.target.value })}
        />
      )}
      <TextField
        label={t.projectName}
        hint={t.projectNameHint}
        value={draft.projectName}
        maxLength={200}
        onChange={(event) => change({ projectName: event.target.value })}
      />
    </div>
  );
}
