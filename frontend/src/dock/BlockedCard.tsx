/** Hosts that the network setting stopped in this turn, with what can be done about each. The agent went on without them. */
import { ALLOW_SCOPES, type AllowScope } from "@ai-dev-platform/protocol/modes";
import { may } from "@ai-dev-platform/protocol/roles";
import { ShieldBan } from "lucide-react";
import { useState } from "react";
import { NETWORK_WORDS, SCOPE_WORDS } from "../hosting/messages.ts";
import { showFailure } from "../session-page/failure.ts";
import { usePlace } from "../session-page/use-place.ts";
import { useActions, useSessionSelector, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import type { DockItem } from "./dock-items.ts";
import { t } from "./notice-messages.ts";

export function BlockedCard({ item }: { item: Extract<DockItem, { kind: "blocked" }> }) {
  const actions = useActions();
  const viewer = useViewer();
  const level = useSessionSelector((state) => state.network.level) ?? "registries";
  const [, setPlace] = usePlace();
  const [isBusy, setIsBusy] = useState(false);
  const [newest] = item.hosts;
  if (newest === undefined || viewer === null) return null;
  const mayDrive = may(viewer.role, "drive");
  // "Always" is for all sessions of the owner: nobody else's to say.
  const scopes = ALLOW_SCOPES.filter((scope) => scope !== "always" || may(viewer.role, "own"));
  const allow = (scope: AllowScope) => {
    setIsBusy(true);
    actions
      .allowHost(newest.host, scope)
      .catch(showFailure)
      .finally(() => setIsBusy(false));
  };
  return (
    <DockCard
      icon={<ShieldBan aria-hidden />}
      title={t.blocked.title(newest.host)}
      actions={
        <>
          {mayDrive &&
            scopes.map((scope, index) => (
              <Button key={scope} variant={index === 0 ? "primary" : "secondary"} disabled={isBusy} onClick={() => allow(scope)}>
                {SCOPE_WORDS[scope]}
              </Button>
            ))}
          <Button variant="ghost" onClick={() => setPlace({ panel: "network", file: null, line: null })}>
            {item.hosts.length === 1 ? t.blocked.open : t.blocked.more(item.hosts.length - 1)}
          </Button>
        </>
      }
    >
      <p className="text-ui text-fg-2">
        {t.blocked.body(NETWORK_WORDS[level].label)} {mayDrive ? t.blocked.retry : t.blocked.askOwner}
      </p>
    </DockCard>
  );
}
