/** The new-session form's state: the kept draft, and starting what it says. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import { api } from "../api/client.ts";
import { newId } from "../api/new-id.ts";
import { reloadProjects } from "../projects/use-projects.ts";
import { reloadSessions } from "../sessions/use-sessions.ts";
import { choicesFor, withChoices } from "./choices.ts";
import { afterStart, NEW_PROJECT, projectRequest, readDraft, sessionRequest, type NewSessionDraft } from "./draft.ts";

const STORAGE_KEY = "adp.draft.new-session";
const CHOICES_KEY = "adp.choices";

function load(): NewSessionDraft {
  try {
    const draft = readDraft(localStorage.getItem(STORAGE_KEY));
    const isExpired = draft.archive !== null && draft.archive.expiresAt <= Date.now();
    return isExpired ? { ...draft, archive: null } : draft;
  } catch {
    return readDraft(null);
  }
}

function save(draft: NewSessionDraft): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(draft));
  } catch {
    // Storage is closed or full: the form itself still holds the words.
  }
}

function loadChoices(): string | null {
  try {
    return localStorage.getItem(CHOICES_KEY);
  } catch {
    return null;
  }
}

function saveChoices(projectId: string, draft: NewSessionDraft): void {
  try {
    localStorage.setItem(CHOICES_KEY, withChoices(loadChoices(), projectId, draft));
  } catch {
    // Storage is closed or full: the next session begins with the form's first choices.
  }
}

const startingDraft = (projectId: string | null): NewSessionDraft =>
  projectId === null ? load() : { ...load(), ...choicesFor(loadChoices(), projectId), project: projectId, trust: null };

export function useNewSessionDraft(projectId: string | null) {
  const [draft, setDraft] = useState<NewSessionDraft>(() => startingDraft(projectId));
  const change = (patch: Partial<NewSessionDraft>) => {
    setDraft((before) => {
      // Another project comes with the choices that were last made for it.
      const isOther = patch.project !== undefined && patch.project !== before.project && patch.project !== NEW_PROJECT;
      const next = { ...before, ...(isOther ? choicesFor(loadChoices(), patch.project ?? "") : {}), ...patch };
      save(next);
      return next;
    });
  };
  return [draft, change] as const;
}

interface StartRequest {
  draft: NewSessionDraft;
  /** Null: make one first. */
  project: ProjectBody | null;
  model: string;
  isOwnMachine: boolean;
  host: HostKind;
}

async function projectFor({ draft, project }: StartRequest): Promise<ProjectBody> {
  if (project === null) return api.post<ProjectBody>("/api/projects", projectRequest(draft));
  if (draft.trust === null || draft.trust === project.trustProject) return project;
  return api.patch<ProjectBody>(`/api/projects/${project.projectId}`, { trustProject: draft.trust });
}

/** For the session's page to sign and send: it finds the prompt among those that wait there. */
async function leavePrompt(sessionId: string, promptId: string, text: string): Promise<void> {
  const { keepPrompt } = await import("../session/cache.ts");
  await keepPrompt(sessionId, { promptId, text, delivery: "steer", status: "waiting", createdAt: Date.now(), sentAt: null });
}

/** Makes the project if needed, then the session. A project made before a failure is chosen for the next try. */
export const useStartSession = (onProject: (projectId: string) => void) =>
  useMutation({
    mutationFn: async (request: StartRequest): Promise<SessionBody> => {
      const { projectId } = await projectFor(request);
      if (request.project === null) onProject(projectId);
      const promptId = newId("prompt");
      const body = sessionRequest(request.draft, {
        projectId,
        host: request.host,
        promptId,
        isOwnMachine: request.isOwnMachine,
        model: request.model,
      });
      const session = await api.post<SessionBody>("/api/sessions", body);
      if (request.isOwnMachine) await leavePrompt(session.sessionId, promptId, request.draft.text.trim());
      save(afterStart(request.draft, projectId));
      saveChoices(projectId, request.draft);
      return session;
    },
    onSettled: () => Promise.all([reloadProjects(), reloadSessions()]),
  });
