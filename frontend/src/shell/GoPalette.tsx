/** ⌘K outside a session: go to a session, a project or a page. A session's own page brings a palette that also acts on it. */
import { useLocation } from "wouter";
import { t as paletteWords } from "../palette/messages.ts";
import { PaletteFrame, PaletteGroup, PaletteLine, SessionLines } from "../palette/PaletteFrame.tsx";
import { useProjects } from "../projects/use-projects.ts";
import { paths, SETTINGS_TABS } from "../routes.ts";
import { t as settingsMessages } from "../settings/messages.ts";
import { t } from "./messages.ts";
import { shell } from "./shell-state.ts";

export default function GoPalette() {
  const [, navigate] = useLocation();
  const { data: projects = [] } = useProjects();
  const go = (path: string) => {
    shell.setOverlay(null);
    navigate(path);
  };
  const pages = [
    { label: t.allSessions, path: paths.sessions },
    { label: t.newSession, path: paths.newSession() },
    { label: t.archived, path: paths.archived },
    ...SETTINGS_TABS.map((tab) => ({ label: `${t.settings}: ${settingsMessages.tabs[tab]}`, path: paths.settings(tab) })),
    ...projects.map(({ projectId, name }) => ({ label: t.project(name), path: paths.project(projectId) })),
  ];
  return (
    <PaletteFrame placeholder={t.palettePlaceholder} onClose={() => shell.setOverlay(null)}>
      <SessionLines onGo={(sessionId) => go(paths.session(sessionId))} />
      <PaletteGroup heading={paletteWords.groups.go}>
        {pages.map(({ label, path }) => (
          <PaletteLine key={path} value={path} label={label} onSelect={() => go(path)} />
        ))}
      </PaletteGroup>
    </PaletteFrame>
  );
}
