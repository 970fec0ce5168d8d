/** Words for where and how a session runs: hosts, sizes, lifecycles, network, hours. Used wherever these are chosen or shown. */
import type { AllowScope, HostKind, Lifecycle, NetworkLevel, SandboxSize } from "@ai-dev-platform/protocol/modes";
import { SANDBOX_SPECS, sandboxHourUsd } from "@ai-dev-platform/protocol/sandbox-price";
import { formatUsd } from "../ui/format.ts";

const number = new Intl.NumberFormat();
const hours = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export interface Worded {
  label: string;
  description: string;
}

export const HOST_WORDS: Record<HostKind, Worded> = {
  sandbox: {
    label: "Cloudflare sandbox",
    description: "A computer of its own for this session, closed to the network but for what you allow. Never sees your key.",
  },
  direct: { label: "The model alone", description: "Answers without a computer: it reads the last saved state and cannot change files." },
  machine: { label: "A connected computer", description: "Runs where our program is connected, with that computer's files and network." },
};

const price = (size: SandboxSize): string => {
  const { idle, busy } = sandboxHourUsd(size);
  return `${formatUsd(idle)} to ${formatUsd(busy)} an hour`;
};

/** "½ processor, 4 GiB memory, 8 GB disk. $0.04 to $0.07 an hour while it runs." */
export function sizeWords(size: SandboxSize): Worded {
  const { vcpus, memoryGib, diskGb } = SANDBOX_SPECS[size];
  const processors = vcpus === 0.5 ? "½ processor" : vcpus === 1 ? "1 processor" : `${number.format(vcpus)} processors`;
  return { label: `${processors}, ${memoryGib} GiB`, description: `${diskGb} GB disk · ${price(size)}` };
}

export const LIFECYCLE_WORDS: Record<Lifecycle, { label: string; sandbox: string; machine: string }> = {
  hydrated: {
    label: "Hydrated",
    sandbox: "Sleeps when idle, after a save, and costs nothing then. Wakes in seconds with files and conversation.",
    machine: "Stops when idle, after a save. Starts again in seconds with files and conversation.",
  },
  "long-running": {
    label: "Long-running",
    sandbox: "Stays up between prompts, with saves on the way, and costs money while it does.",
    machine: "Stays up between prompts, with saves on the way.",
  },
  ephemeral: {
    label: "Ephemeral",
    sandbox: "Files go when it ends, unless you keep them.",
    machine: "Files go when it ends, unless you keep them.",
  },
  "multi-agent": {
    label: "Multi-agent",
    sandbox: "Several agents in one workspace, each in a thread of its own. Sleeps when all are idle.",
    machine: "Several agents in one workspace, each in a thread of its own.",
  },
};

/** One sentence of consequence, with what it costs where that is known. */
export function lifecycleWords(lifecycle: Lifecycle, host: HostKind, size: SandboxSize): Worded {
  const words = LIFECYCLE_WORDS[lifecycle];
  const isPaid = host === "sandbox" && lifecycle === "long-running";
  return {
    label: words.label,
    description: isPaid ? `${words.sandbox} About ${price(size)}.` : words[host === "sandbox" ? "sandbox" : "machine"],
  };
}

export const NETWORK_WORDS: Record<NetworkLevel, Worded> = {
  none: { label: "Closed", description: "Nothing but the model and the session's own repository." },
  registries: { label: "Package registries", description: "npm, PyPI, crates, Go, RubyGems and the like." },
  custom: { label: "Registries and listed hosts", description: "Package registries, and the hosts that you list." },
  full: { label: "Open", description: "The whole internet but private and internal addresses. What Claude reads may be sent anywhere." },
};

export const SCOPE_WORDS: Record<AllowScope, string> = { once: "Allow once", session: "For this session", always: "Always" };

export const t = {
  host: "Where it runs",
  size: "Size",
  lifecycle: "How the session lives",
  network: "What it may reach",
  hosts: {
    title: "Listed hosts",
    field: "Add a host",
    hint: "example.com, or *.example.com for every name below it. Ports 80 and 443.",
    add: "Add",
    remove: (host: string) => `Remove ${host}`,
    none: "No host is listed.",
    empty: "Enter a host such as example.com.",
    address: "Use a name, not an address of numbers.",
    port: "Leave the port out: 80 and 443 are what can be reached.",
    form: "Use a host name such as example.com or *.example.com.",
    listed: "This host is listed already.",
    full: (count: number) => `At most ${count} hosts can be listed.`,
    added: (host: string) => `${host} added`,
    removed: (host: string) => `${host} removed`,
  },
  hoursOf: (used: number, max: number) => `${hours.format(used)} of ${hours.format(max)} h`,
} as const;
