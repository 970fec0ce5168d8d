import { useSearch } from "wouter";
import { AppShell } from "../shell/AppShell.tsx";
import { PageHeader } from "../shell/PageHeader.tsx";
import { t } from "./messages.ts";
import { NewSessionForm } from "./NewSessionForm.tsx";

export default function NewSessionPage() {
  const projectId = new URLSearchParams(useSearch()).get("project");
  return (
    <AppShell>
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <PageHeader title={t.title} />
        <div className="min-h-0 flex-1 overflow-y-auto">
          <div className="mx-auto w-full max-w-[680px] px-4 py-6 md:py-[10vh]">
            <NewSessionForm projectId={projectId} takesFocus withExamples />
          </div>
        </div>
      </main>
    </AppShell>
  );
}
