import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Menu as MenuIcon, PanelRight, Share2 } from "lucide-react";
import { t as composerWords } from "../composer/messages.ts";
import { PROMPT_FIELD_ID } from "../composer/PromptField.tsx";
import { DOCK_ID } from "../dock/Dock.tsx";
import { lazy, Suspense } from "react";
import { shell } from "../shell/shell-state.ts";
import { useConnection, useThread, useViewer } from "../session/use-session.ts";
import { IconButton } from "../ui/button.tsx";
import { StateDot } from "../ui/state-dot.tsx";
import { HostStatus } from "./HostStatus.tsx";
import { t } from "./messages.ts";
import { dotState } from "./page-state.ts";
import { SaveIndicator } from "./SaveIndicator.tsx";
import { TitleField } from "./TitleField.tsx";
import { TodosPill } from "./TodosPill.tsx";
import type { SessionCommands } from "./use-session-commands.ts";

const SessionMenu = lazy(() => import("./SessionMenu.tsx").then((module) => ({ default: module.SessionMenu })));
const LifecycleMenu = lazy(() => import("./LifecycleMenu.tsx"));

export interface SessionHeaderProps {
  sessionId: string;
  state: SessionState | null;
  commands: SessionCommands;
  isShared: boolean;
  isRenaming: boolean;
  onRenaming: (isRenaming: boolean) => void;
  isWorkbenchOpen: boolean;
}

function SkipLinks() {
  return (
    <>
      <a href={`#${PROMPT_FIELD_ID}`} className="skip-link">
        {t.skipToPrompt}
      </a>
      <a href="#transcript" className="skip-link">
        {t.skipToTranscript}
      </a>
      <a href={`#${DOCK_ID}`} className="skip-link">
        {t.skipToDock}
      </a>
    </>
  );
}

/** 44 px: what session this is, what it does, what is saved. No toolbar below it. */
export function SessionHeader({ sessionId, state, commands, isShared, isRenaming, onRenaming, isWorkbenchOpen }: SessionHeaderProps) {
  const viewer = useViewer();
  const thread = useThread();
  const { phase } = useConnection();
  const isOffline = phase === "offline" || phase === "reconnecting" || phase === "ended";
  const dot = state === null ? "idle" : dotState(state, isOffline);
  return (
    <header className="flex h-11 flex-none items-center gap-2 border-b border-line bg-bg pr-2 pl-3 pointer-coarse:h-12">
      <SkipLinks />
      {!isShared && (
        <IconButton label={t.openSessions} className="-ml-1.5 lg:hidden" onClick={shell.openDrawer}>
          <MenuIcon />
        </IconButton>
      )}
      <StateDot state={dot} label={t.dot[dot]} />
      {state === null ? (
        <h1 className="text-ui font-semibold text-fg-3">{t.loading}</h1>
      ) : (
        <>
          <TitleField
            title={state.title}
            mayRename={viewer !== null && may(viewer.role, "own")}
            isEditing={isRenaming}
            onEditing={onRenaming}
          />
          {state.projectName !== "" && (
            <span className="max-w-40 flex-none truncate text-label text-fg-3 max-md:hidden">{state.projectName}</span>
          )}
          <Suspense fallback={null}>
            <LifecycleMenu state={state} />
          </Suspense>
          <HostStatus state={state} />
          {state.modelSource === "demo" && (
            <span className="flex-none rounded-chip bg-accent-soft px-1.5 text-meta whitespace-nowrap text-accent max-md:hidden">
              {composerWords.demo}
            </span>
          )}
        </>
      )}
      <span className="flex-1" />
      {viewer !== null && viewer.role !== "owner" && (
        <span className="text-label whitespace-nowrap text-fg-3 max-md:hidden">{t.role[viewer.role]}</span>
      )}
      {state !== null && (
        <>
          <SaveIndicator state={state} />
          <TodosPill todos={thread?.todos ?? state.todos} />
          {commands.share !== null && (
            <IconButton label={t.share} className="max-md:hidden" onClick={commands.share}>
              <Share2 />
            </IconButton>
          )}
          {/* As wide as its button: nothing moves when it comes. */}
          <Suspense fallback={<span className="size-8 flex-none pointer-coarse:size-11" />}>
            <SessionMenu sessionId={sessionId} state={state} commands={commands} />
          </Suspense>
          <IconButton
            label={isWorkbenchOpen ? t.hideWorkbench : t.showWorkbench}
            aria-pressed={isWorkbenchOpen}
            className="max-md:hidden"
            onClick={commands.toggleWorkbench}
          >
            <PanelRight />
          </IconButton>
        </>
      )}
    </header>
  );
}
