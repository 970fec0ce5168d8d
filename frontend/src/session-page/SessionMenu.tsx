import { MAX_THREADS } from "@ai-dev-platform/protocol/limits";
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import {
  Archive,
  ArrowLeftRight,
  Command,
  Ellipsis,
  Gauge,
  History,
  Keyboard,
  Link,
  Network,
  Pencil,
  Plug,
  Plus,
  Save,
  Share2,
  ShieldCheck,
  Trash2,
} from "lucide-react";
import { lazy, Suspense, useCallback, useState } from "react";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { t as access } from "../machines/access-messages.ts";
import { useViewer } from "../session/use-session.ts";
import { IconButton } from "../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu.tsx";
import { t as late } from "./late-messages.ts";
import { t } from "./messages.ts";
import type { SessionCommands } from "./use-session-commands.ts";

const ThreadDialog = lazy(() => import("./ThreadDialog.tsx"));
const MoveDialog = lazy(() => import("./MoveDialog.tsx"));
const MachineAccess = lazy(() => import("../machines/MachineAccess.tsx"));
const RunDialog = lazy(() => import("./RunDialog.tsx"));
const DeleteDialog = lazy(() => import("./DeleteDialog.tsx").then((module) => ({ default: module.DeleteDialog })));

export interface SessionMenuProps {
  sessionId: string;
  state: SessionState;
  commands: SessionCommands;
}

/** Everything about the session that is not done often. What a role may not do is absent. */
export function SessionMenu({ sessionId, state, commands }: SessionMenuProps) {
  const viewer = useViewer();
  const [dialog, setDialog] = useState<"run" | "move" | "access" | "thread" | "delete" | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const isOwner = viewer !== null && may(viewer.role, "own");
  const mayDrive = viewer !== null && may(viewer.role, "drive");
  // Only its owner turns a session with one agent into one with several.
  const mayStartThread = mayDrive && (isOwner || state.lifecycle === "multi-agent") && state.threads.length < MAX_THREADS;
  return (
    <>
      <Menu
        label={t.menu.label}
        align="end"
        trigger={
          <IconButton label={t.menu.label}>
            <Ellipsis />
          </IconButton>
        }
      >
        {commands.share !== null && (
          <MenuItem icon={<Share2 />} onSelect={commands.share}>
            {t.share}
          </MenuItem>
        )}
        {isOwner && (
          <MenuItem icon={<Pencil />} onSelect={commands.rename}>
            {t.rename}
          </MenuItem>
        )}
        {mayDrive && (
          <MenuItem icon={<Save />} onSelect={commands.save}>
            {t.menu.save}
          </MenuItem>
        )}
        {isOwner && (
          <MenuItem icon={<Gauge />} onSelect={() => setDialog("run")}>
            {t.menu.run}
          </MenuItem>
        )}
        {isOwner && (
          <MenuItem icon={<ArrowLeftRight />} onSelect={() => setDialog("move")}>
            {late.move.item}
          </MenuItem>
        )}
        {isOwner && state.needsSignature && (
          <MenuItem icon={<ShieldCheck />} onSelect={() => setDialog("access")}>
            {access.item}
          </MenuItem>
        )}
        {mayStartThread && (
          <MenuItem icon={<Plus />} onSelect={() => setDialog("thread")}>
            {t.menu.newThread}
          </MenuItem>
        )}
        <MenuItem icon={<History />} onSelect={() => commands.showPanel("timeline")}>
          {t.menu.timeline}
        </MenuItem>
        {state.hostKind === "sandbox" && (
          <MenuItem icon={<Network />} onSelect={() => commands.showPanel("network")}>
            {t.menu.network}
          </MenuItem>
        )}
        <MenuItem icon={<Plug />} onSelect={() => commands.showPanel("mcp")}>
          {t.menu.mcp}
        </MenuItem>
        {commands.copyLink !== null && (
          <MenuItem icon={<Link />} onSelect={commands.copyLink}>
            {t.menu.copyLink}
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem icon={<Command />} shortcut={shownFor("palette", isMac)} onSelect={commands.openPalette}>
          {t.menu.palette}
        </MenuItem>
        <MenuItem icon={<Keyboard />} shortcut="?" onSelect={commands.openSheet}>
          {t.menu.shortcuts}
        </MenuItem>
        {isOwner && commands.archive !== null && (
          <>
            <MenuSeparator />
            <MenuItem icon={<Archive />} shortcut="E" onSelect={commands.archive}>
              {t.menu.archive}
            </MenuItem>
            <MenuItem icon={<Trash2 />} danger onSelect={() => setDialog("delete")}>
              {t.menu.remove}
            </MenuItem>
          </>
        )}
      </Menu>
      <Suspense fallback={null}>
        {dialog === "thread" && <ThreadDialog state={state} onClose={close} />}
        {dialog === "move" && <MoveDialog state={state} onClose={close} />}
        {dialog === "access" && <MachineAccess onClose={close} />}
        {dialog === "run" && <RunDialog state={state} onClose={close} />}
        {dialog === "delete" && <DeleteDialog sessionId={sessionId} changedFiles={state.changes.files.length} onClose={close} />}
      </Suspense>
    </>
  );
}
