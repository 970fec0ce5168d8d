/** A list of hosts that one adds to and takes from. Owns what is typed; the list is its caller's. */
import { MAX_NETWORK_HOSTS } from "@ai-dev-platform/protocol/limits";
import { X } from "lucide-react";
import { useState } from "react";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { TextField } from "../ui/text-field.tsx";
import { addHost } from "./host-pattern.ts";
import { t } from "./messages.ts";

export interface HostListProps {
  hosts: readonly string[];
  onChange: (hosts: string[]) => void;
  label?: string;
  disabled?: boolean;
}

export function HostList({ hosts, onChange, label = t.hosts.title, disabled = false }: HostListProps) {
  const announce = useAnnounce();
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const add = () => {
    const added = addHost(hosts, typed, MAX_NETWORK_HOSTS);
    if (!added.ok) return setProblem(added.problem);
    setTyped("");
    setProblem(undefined);
    announce(t.hosts.added(added.host));
    onChange(added.hosts);
  };
  const remove = (host: string) => {
    announce(t.hosts.removed(host));
    onChange(hosts.filter((known) => known !== host));
  };
  return (
    <div className="flex flex-col gap-2">
      {hosts.length > 0 && (
        <ul aria-label={label} className="divide-y divide-line rounded-card border border-line">
          {hosts.map((host) => (
            <li key={host} className="flex items-center gap-2 py-0.5 pr-1 pl-2.5">
              <span className="min-w-0 flex-1 truncate font-mono text-mono" title={host}>
                {host}
              </span>
              <IconButton size="sm" label={t.hosts.remove(host)} disabled={disabled} onClick={() => remove(host)}>
                <X />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <div className="flex items-start gap-2">
        <TextField
          label={t.hosts.field}
          hint={t.hosts.hint}
          error={problem}
          className="min-w-0 flex-1"
          inputMode="url"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          maxLength={2_000}
          value={typed}
          disabled={disabled}
          onChange={(event) => {
            setTyped(event.target.value);
            setProblem(undefined);
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
            event.preventDefault();
            // ⌘↵ is for the form around it.
            if (!event.metaKey && !event.ctrlKey) add();
          }}
        />
        <Button className="mt-5" disabled={disabled} onClick={add}>
          {t.hosts.add}
        </Button>
      </div>
    </div>
  );
}
