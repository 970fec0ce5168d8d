import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Archive, CircleDollarSign, Command, Ellipsis, Keyboard, Link, Pencil, Plug, Save, Share2, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { useViewer } from "../session/use-session.ts";
import { IconButton } from "../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu.tsx";
import { t } from "./messages.ts";
import type { SessionCommands } from "./use-session-commands.ts";

const BudgetDialog = lazy(() => import("./BudgetDialog.tsx").then((module) => ({ default: module.BudgetDialog })));
const DeleteDialog = lazy(() => import("./DeleteDialog.tsx").then((module) => ({ default: module.DeleteDialog })));

export interface SessionMenuProps {
  sessionId: string;
  state: SessionState;
  commands: SessionCommands;
}

/** Everything about the session that is not done often. What a role may not do is absent. */
export function SessionMenu({ sessionId, state, commands }: SessionMenuProps) {
  const viewer = useViewer();
  const [dialog, setDialog] = useState<"budget" | "delete" | null>(null);
  const isOwner = viewer !== null && may(viewer.role, "own");
  const mayDrive = viewer !== null && may(viewer.role, "drive");
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
        {mayDrive && (
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
          <MenuItem icon={<CircleDollarSign />} onSelect={() => setDialog("budget")}>
            {t.menu.budget}
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
        {dialog === "budget" && <BudgetDialog budgetUsd={state.budgetUsd} spentUsd={state.usage.costUsd} onClose={() => setDialog(null)} />}
        {dialog === "delete" && (
          <DeleteDialog sessionId={sessionId} changedFiles={state.changes.files.length} onClose={() => setDialog(null)} />
        )}
      </Suspense>
    </>
  );
}
