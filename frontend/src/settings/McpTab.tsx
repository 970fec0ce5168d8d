import { Globe, SquareTerminal } from "lucide-react";
import { useState } from "react";
import type { McpServerBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { toast } from "../ui/toast.ts";
import { Loaded } from "./Loaded.tsx";
import { McpDialog } from "./McpDialog.tsx";
import { t } from "./messages.ts";
import { useMcpActions, useMcpServers } from "./use-settings.ts";

export function McpTab() {
  const servers = useMcpServers();
  const [isAdding, setIsAdding] = useState(false);
  return (
    <div>
      <p className="mb-3 text-fg-2">{t.mcp.about}</p>
      <Loaded query={servers}>
        {(list) => (
          <>
            {list.length === 0 ? (
              <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.mcp.none}</p>
            ) : (
              <ul className="divide-y divide-line rounded-card border border-line">
                {list.map((server) => (
                  <ServerRow key={server.mcpId} server={server} />
                ))}
              </ul>
            )}
            <Button className="mt-3" onClick={() => setIsAdding(true)}>
              {t.mcp.add}
            </Button>
          </>
        )}
      </Loaded>
      {isAdding && <McpDialog onClose={() => setIsAdding(false)} />}
    </div>
  );
}

function ServerRow({ server }: { server: McpServerBody }) {
  const { remove } = useMcpActions();
  const Icon = server.transport === "http" ? Globe : SquareTerminal;
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <Icon aria-hidden className="icon mt-0.5 text-fg-3" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          {server.name} <span className="font-normal text-fg-3">· {t.mcp.kinds[server.transport]}</span>
        </p>
        <p className="font-mono text-mono break-all text-fg-2">{server.target}</p>
        {server.secretNames.length > 0 && (
          <p className="text-label text-fg-3">
            {t.mcp.secrets(new Intl.ListFormat(undefined, { type: "unit" }).format(server.secretNames))}
          </p>
        )}
        {remove.isError && (
          <p role="alert" className="text-label text-bad">
            {messageOf(remove.error)}
          </p>
        )}
      </div>
      <Button
        size="sm"
        variant="ghost"
        aria-label={t.mcp.removeLabel(server.name)}
        disabled={remove.isPending}
        onClick={() => remove.mutate(server.mcpId, { onSuccess: () => toast(t.mcp.removed(server.name)) })}
      >
        {t.mcp.remove}
      </Button>
    </li>
  );
}
