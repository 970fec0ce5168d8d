import type { McpServerStatus } from "@ai-dev-platform/protocol/events";
import { may } from "@ai-dev-platform/protocol/roles";
import { Link } from "wouter";
import { paths } from "../routes.ts";
import { useSessionSelector, useViewer } from "../session/use-session.ts";
import { buttonClass } from "../ui/button.tsx";
import { StateDot, type DotState } from "../ui/state-dot.tsx";
import { t } from "./messages.ts";
import { AsleepStrip, PanelNote } from "./PanelStates.tsx";
import { useWorkspace } from "./use-workspace.ts";

const DOTS: Record<McpServerStatus["status"], DotState> = {
  connected: "done",
  pending: "running",
  failed: "failed",
  "needs-auth": "needs_you",
  disabled: "idle",
};

function Server({ server }: { server: McpServerStatus }) {
  const next = server.status === "failed" || server.status === "needs-auth" ? t.mcp.next[server.status] : null;
  return (
    <li className="rounded-card border border-line bg-surface px-3 py-2.5">
      <div className="flex items-center gap-2">
        <StateDot state={DOTS[server.status]} label="" />
        <span className="min-w-0 truncate font-mono text-mono font-medium">{server.name}</span>
        <span className="ml-auto flex-none text-label text-fg-2">{t.mcp.status[server.status]}</span>
      </div>
      <p className="mt-0.5 pl-4 text-label text-fg-3">
        {t.mcp.scope[server.scope]}
        {server.tools !== undefined && ` · ${t.mcp.tools(server.tools)}`}
      </p>
      {server.error !== undefined && server.error !== "" && (
        <p className="mt-1 pl-4 font-mono text-label break-words text-bad">{server.error}</p>
      )}
      {next !== null && <p className="mt-1 pl-4 text-label text-fg-2">{next}</p>}
    </li>
  );
}

/** MCP servers as the running agent reports them. */
export function McpPanel() {
  const servers = useSessionSelector((state) => state.mcpServers) ?? [];
  const { isAwake } = useWorkspace();
  const viewer = useViewer();
  const settings = viewer !== null && may(viewer.role, "own") && (
    <Link href={paths.settings("mcp")} className={buttonClass("secondary")}>
      {t.mcp.settings}
    </Link>
  );
  if (servers.length === 0) {
    return (
      <PanelNote title={t.mcp.none} action={settings}>
        {t.mcp.noneHint}
      </PanelNote>
    );
  }
  return (
    <div className="h-full overflow-y-auto">
      {!isAwake && <AsleepStrip text="" />}
      <ul className="space-y-2 p-3">
        {servers.map((server) => (
          <Server key={`${server.scope}:${server.name}`} server={server} />
        ))}
      </ul>
      <div className="px-3 pb-4">{settings}</div>
    </div>
  );
}
