import { lazy, Suspense, type ComponentType } from "react";
import { Link, Redirect } from "wouter";
import { paths, SETTINGS_TABS, type SettingsTab } from "../routes.ts";
import { AppShell } from "../shell/AppShell.tsx";
import { PageHeader } from "../shell/PageHeader.tsx";
import { classes } from "../ui/classes.ts";
import { PanelBoundary } from "../ui/error-boundary.tsx";
import { AccountTab } from "./AccountTab.tsx";
import { KeyTab } from "./KeyTab.tsx";
import { t } from "./messages.ts";

const ApiTab = lazy(() => import("../programs/ApiTab.tsx").then((module) => ({ default: module.ApiTab })));
const AppearanceTab = lazy(() => import("./AppearanceTab.tsx").then((module) => ({ default: module.AppearanceTab })));
const MachinesTab = lazy(() => import("../machines/MachinesTab.tsx").then((module) => ({ default: module.MachinesTab })));
const McpTab = lazy(() => import("./McpTab.tsx").then((module) => ({ default: module.McpTab })));
const NetworkTab = lazy(() => import("./NetworkTab.tsx").then((module) => ({ default: module.NetworkTab })));
const ShortcutsTab = lazy(() => import("./ShortcutsTab.tsx").then((module) => ({ default: module.ShortcutsTab })));
const StorageTab = lazy(() => import("./StorageTab.tsx").then((module) => ({ default: module.StorageTab })));

const TABS: Record<SettingsTab, ComponentType> = {
  account: AccountTab,
  "api-key": KeyTab,
  api: ApiTab,
  mcp: McpTab,
  network: NetworkTab,
  machines: MachinesTab,
  storage: StorageTab,
  appearance: AppearanceTab,
  shortcuts: ShortcutsTab,
};

/** On the phone the tabs are a row that scrolls. */
const keepInSight = (tab: HTMLElement | null): void => tab?.scrollIntoView({ block: "nearest", inline: "center" });

export default function SettingsPage({ tab }: { tab: string | undefined }) {
  const current = SETTINGS_TABS.find((known) => known === tab);
  if (current === undefined) return <Redirect to={paths.settings()} replace />;
  const Tab = TABS[current];
  return (
    <AppShell>
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <PageHeader title={t.title} />
        <div className="flex min-h-0 flex-1 flex-col md:flex-row">
          <nav aria-label={t.title} className="flex-none border-b border-line md:w-48 md:border-r md:border-b-0">
            <ul className="flex gap-0.5 overflow-x-auto p-2 md:flex-col">
              {SETTINGS_TABS.map((name) => (
                <li key={name} className="flex-none">
                  <Link
                    href={paths.settings(name)}
                    ref={name === current ? keepInSight : null}
                    aria-current={name === current ? "page" : undefined}
                    className={classes(
                      "flex h-8 items-center rounded-control px-2.5 -outline-offset-2 pointer-coarse:h-11",
                      name === current ? "bg-hover font-medium" : "text-fg-2 hover:bg-hover hover:text-fg",
                    )}
                  >
                    {t.tabs[name]}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
            <div className="w-full max-w-[680px] px-4 py-5 md:px-8">
              <h2 className="mb-4 text-title font-semibold">{t.tabs[current]}</h2>
              <PanelBoundary key={current} name={t.tabs[current]}>
                <Suspense fallback={null}>
                  <Tab />
                </Suspense>
              </PanelBoundary>
            </div>
          </div>
        </div>
      </main>
    </AppShell>
  );
}
