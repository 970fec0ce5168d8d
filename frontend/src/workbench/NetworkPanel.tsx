/** What the session's sandbox may reach, and what it was kept from reaching: a live list, each with what can be done about it. */
import { ALLOW_SCOPES, NETWORK_LEVELS, type AllowScope, type Network } from "@ai-dev-platform/protocol/modes";
import { may } from "@ai-dev-platform/protocol/roles";
import type { BlockedHost } from "@ai-dev-platform/protocol/state";
import { useState } from "react";
import { Link } from "wouter";
import { HostList } from "../hosting/HostList.tsx";
import { NETWORK_WORDS, SCOPE_WORDS, t as hosting } from "../hosting/messages.ts";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import { useActions, useSessionSelector, useViewer } from "../session/use-session.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { formatCount } from "../ui/format.ts";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";

export function NetworkPanel() {
  const network = useSessionSelector((state) => state.network);
  const blocked = useSessionSelector((state) => state.blockedHosts) ?? [];
  const viewer = useViewer();
  if (network === null || viewer === null) return null;
  const mayDrive = may(viewer.role, "drive");
  const isOwner = may(viewer.role, "own");
  return (
    <div className="flex h-full flex-col gap-5 overflow-y-auto p-3 pb-4">
      <section aria-labelledby="network-blocked">
        <h2 id="network-blocked" className="mb-1.5 text-ui font-semibold">
          {t.network.blocked}
        </h2>
        {blocked.length === 0 ? (
          <p className="text-ui text-fg-2">{t.network.noneBlocked}</p>
        ) : (
          <ul className="divide-y divide-line rounded-card border border-line">
            {blocked.map((host) => (
              <BlockedRow key={host.host} blocked={host} mayAllow={mayDrive} mayAlways={isOwner} />
            ))}
          </ul>
        )}
      </section>
      {isOwner ? <NetworkSetting network={network} /> : <NetworkFacts network={network} />}
      {isOwner && (
        <Link href={paths.settings("network")} className="text-label text-accent underline underline-offset-2">
          {t.network.always}
        </Link>
      )}
    </div>
  );
}

function BlockedRow({ blocked, mayAllow, mayAlways }: { blocked: BlockedHost; mayAllow: boolean; mayAlways: boolean }) {
  const actions = useActions();
  const announce = useAnnounce();
  const [isBusy, setIsBusy] = useState(false);
  const { host, count, at } = blocked;
  const allow = (scope: AllowScope) => {
    setIsBusy(true);
    actions
      .allowHost(host, scope)
      .then(() => announce(t.network.allowed(host)), showFailure)
      .finally(() => setIsBusy(false));
  };
  return (
    <li className="flex flex-wrap items-center gap-1 py-1.5 pr-1.5 pl-2.5">
      <span className="min-w-52 flex-1">
        <span className="block font-mono text-mono break-all">{host}</span>
        <span className="tabular text-label text-fg-3">
          {t.network.times(formatCount(count), count === 1)} · <RelativeTime at={at} inWords />
        </span>
      </span>
      {mayAllow && (
        <span className="flex flex-wrap gap-1">
          {ALLOW_SCOPES.filter((scope) => scope !== "always" || mayAlways).map((scope) => (
            <Button
              key={scope}
              size="sm"
              disabled={isBusy}
              aria-label={t.network.allowLabel(SCOPE_WORDS[scope], host)}
              onClick={() => allow(scope)}
            >
              {SCOPE_WORDS[scope]}
            </Button>
          ))}
        </span>
      )}
    </li>
  );
}

/** Each choice takes effect at once. It is shown while it is on its way, then what the session says. */
function NetworkSetting({ network: settled }: { network: Network }) {
  const actions = useActions();
  const [wanted, setWanted] = useState<Network | null>(null);
  const network = wanted ?? settled;
  const set = (next: Network) => {
    setWanted(next);
    actions
      .setNetwork(next)
      .catch(showFailure)
      .finally(() => setWanted((newest) => (newest === next ? null : newest)));
  };
  return (
    <section aria-label={hosting.network} className="flex flex-col gap-3">
      <Choice
        label={hosting.network}
        value={network.level}
        onChange={(level) => set({ ...network, level })}
        options={NETWORK_LEVELS.map((value) => ({ value, ...NETWORK_WORDS[value] }))}
      />
      {network.level === "custom" && <HostList hosts={network.hosts} onChange={(hosts) => set({ ...network, hosts })} />}
    </section>
  );
}

function NetworkFacts({ network }: { network: Network }) {
  const { label, description } = NETWORK_WORDS[network.level];
  return (
    <section aria-label={hosting.network} className="text-ui">
      <h2 className="font-semibold">{hosting.network}</h2>
      <p className="mt-1">{label}</p>
      <p className="text-fg-2">{description}</p>
      {network.level === "custom" && (
        <p className="mt-1 font-mono text-mono break-words">{network.hosts.join(", ") || hosting.hosts.none}</p>
      )}
    </section>
  );
}
