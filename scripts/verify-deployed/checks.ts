/**
 * What only a real deployment can prove, check by check. Each gives findings and never throws for what it found;
 * what does not apply to this deployment is said, not passed over.
 */
import type { ConfigBody, KeyBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { Client, Workbench } from "./client.ts";
import { type Finding, KEY_PATTERN, percentile, seconds, speed } from "./figures.ts";
import {
  askToRun,
  canaryScript,
  CHANGE_SCRIPT,
  DIGEST_SCRIPT,
  EGRESS_PROBES,
  EGRESS_SCRIPT,
  readProbes,
  REGISTRY_SCRIPT,
  WORK_BYTES,
  WORK_SCRIPT,
} from "./probes.ts";
import type { SessionLink } from "./session-link.ts";

export interface Setting {
  client: Client;
  bench: Workbench;
  config: ConfigBody;
  host: HostKind;
  scripted: boolean;
  starts: number;
}

export interface Check {
  name: string;
  run(setting: Setting): Promise<Finding[]>;
}

const START_TIMEOUT_MS = 150_000;
const ASK_TIMEOUT_MS = 240_000;
const SAVE_TIMEOUT_MS = 120_000;
/** Past the five minutes after which a sandbox sleeps, with its save and a margin. */
const SLEEP_TIMEOUT_MS = 8 * 60_000;
/** Past the ten seconds after which an idle object may go, with a margin. */
const IDLE_MS = 40_000;
const NONE = { level: "none", hosts: [] };

const ok = (check: string, detail: string): Finding => ({ check, verdict: "ok", detail });
const failed = (check: string, detail: string): Finding => ({ check, verdict: "failed", detail });
const skipped = (check: string, detail: string): Finding => ({ check, verdict: "skipped", detail });
const judge = (check: string, isGood: boolean, detail: string): Finding => (isGood ? ok(check, detail) : failed(check, detail));
const ON_MACHINE = "not applicable on a machine host";

async function openSession({ client, bench, host }: Setting, settings: Record<string, unknown> = {}): Promise<SessionLink> {
  const { sessionId } = await bench.session({ host, ...settings });
  return client.link(sessionId);
}

const ready = (link: SessionLink) =>
  link.until("the host's start", START_TIMEOUT_MS, () => {
    const { state, problem } = link.state().host;
    if (state === "failed") throw new Error(`the host failed: ${problem?.message ?? "no reason given"}`);
    return state === "ready";
  });

const run = async (link: SessionLink, setting: Setting, script: string) => {
  const result = await link.ask(askToRun(script, setting.scripted), ASK_TIMEOUT_MS);
  return { ...result, probes: readProbes(result.output) };
};

const frontDoor: Check = {
  name: "front door",
  async run({ client }) {
    const page = await client.text("/settings");
    const policy = page.headers.get("content-security-policy") ?? "";
    const isPage = page.status === 200 && page.body.includes('id="root"');
    const findings = [
      judge(
        "front door",
        isPage && policy.includes("default-src 'none'"),
        isPage ? "the web app, under its content policy" : `status ${page.status}`,
      ),
    ];
    if (!client.url.startsWith("https:")) return [...findings, skipped("transport", "plain HTTP on this computer")];
    const api = await client.text("/api/config");
    return [...findings, judge("transport", api.headers.has("strict-transport-security"), "HTTPS with Strict-Transport-Security")];
  },
};

const coldStart: Check = {
  name: "cold start",
  async run(setting) {
    const times: number[] = [];
    for (let n = 0; n < setting.starts; n += 1) {
      const link = await openSession(setting);
      const startedAt = Date.now();
      link.send({ type: "warm" });
      await ready(link);
      times.push(Date.now() - startedAt);
      link.close();
    }
    const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
    const detail = `p50 ${seconds(p50)}, p95 ${seconds(p95)} over ${times.length}, from "start" to a ready agent`;
    if (setting.host === "machine") return [ok("start on a machine", detail), skipped("cold start", ON_MACHINE)];
    return [ok("cold start", detail)];
  },
};

const OWN_RESOLVER = "dns:own";
/** The platform's own resolver stands beside the container and cannot be shut by us (docs/threat-model.md). */
const resolver = (answer: string | undefined): Finding =>
  answer === "closed"
    ? ok("names of the outside", "the sandbox's own resolver does not tell them")
    : {
        check: "names of the outside",
        verdict: "known",
        detail: "the sandbox's own resolver answers for them: a lookup can carry a little out",
      };

const egress: Check = {
  name: "egress",
  async run(setting) {
    if (setting.host === "machine")
      return ["egress closed", "names of the outside", "egress to registries"].map((check) => skipped(check, ON_MACHINE));
    const sealed = await openSession(setting, { network: NONE });
    const { probes } = await run(sealed, setting, EGRESS_SCRIPT);
    sealed.close();
    const open = [...probes].filter(([name, value]) => value !== "closed" && name !== OWN_RESOLVER).map(([name]) => name);
    const isWhole = probes.size === EGRESS_PROBES;
    const said = isWhole
      ? `${probes.size} ways out were tried: web, raw ports, public DNS, all shut`
      : `only ${probes.size} of ${EGRESS_PROBES} probes answered`;
    const listed = await openSession(setting, { network: { level: "registries", hosts: [] } });
    const answers = (await run(listed, setting, REGISTRY_SCRIPT)).probes;
    listed.close();
    const [registry = "?", elsewhere = "?"] = [answers.get("registry"), answers.get("elsewhere")];
    return [
      judge("egress closed", isWhole && open.length === 0, open.length === 0 ? said : `OPEN: ${open.join(", ")}`),
      resolver(probes.get(OWN_RESOLVER)),
      judge(
        "egress to registries",
        registry === "200" && elsewhere !== "200",
        `npm's registry answers ${registry}, another site ${elsewhere}`,
      ),
    ];
  },
};

const canary: Check = {
  name: "key canary",
  async run(setting) {
    const link = await openSession(setting);
    const { probes } = await run(link, setting, canaryScript(setting.host === "sandbox"));
    const found = [...probes].filter(([, count]) => count !== "0").map(([place, count]) => `${place} (${count})`);
    const listing = await setting.client.text("/api/keys");
    const told = [listing.body, link.received()].some((text) => KEY_PATTERN.test(text));
    link.close();
    const places = [...probes.keys()].join(", ");
    const { keys }: { keys: KeyBody[] } = JSON.parse(listing.body);
    const stored = keys.length === 0 ? "no key is stored" : `${keys.length} stored`;
    return [
      judge(
        "key canary in the host",
        probes.size > 0 && found.length === 0,
        found.length === 0 ? `no key in ${places}` : `FOUND in ${found.join(", ")}`,
      ),
      judge("key canary on the wire", !told, `no key in answers and events (${stored})`),
    ];
  },
};

/** The save that covers a turn, and how long after its end it was durable. */
async function saved(link: SessionLink, turn: { endedAt: number; endedSeq: number }): Promise<{ ms: number; bytes: number }> {
  const entry = await link.until("the save", SAVE_TIMEOUT_MS, () =>
    link.entries.find(({ event }) => event.type === "snapshot_saved" && event.throughSeq >= turn.endedSeq - 1),
  );
  return { ms: Math.max(0, entry.at - turn.endedAt), bytes: entry.event.type === "snapshot_saved" ? entry.event.storedBytes : 0 };
}

const saveAndWake: Check = {
  name: "save, sleep and wake",
  async run(setting) {
    const link = await openSession(setting);
    const written = await run(link, setting, WORK_SCRIPT);
    const first = await saved(link, written);
    const second = await saved(link, await run(link, setting, CHANGE_SCRIPT));
    const findings = [
      ok("save", `${speed(WORK_BYTES, first.ms)} (${seconds(first.ms)} after the turn); a small change in ${seconds(second.ms)}`),
    ];
    if (setting.host === "machine") {
      link.close();
      return [...findings, skipped("sleep and wake", ON_MACHINE), skipped("hydrate", ON_MACHINE)];
    }
    const idleSince = Date.now();
    await link.until("the sandbox's sleep", SLEEP_TIMEOUT_MS, () => link.state().host.state === "asleep");
    const sleptAfterMs = Date.now() - idleSince;
    const wakeAt = Date.now();
    link.send({ type: "warm" });
    await ready(link);
    const wakeMs = Date.now() - wakeAt;
    const { probes } = await run(link, setting, DIGEST_SCRIPT);
    link.close();
    const isSame = probes.get("digest") !== undefined && probes.get("digest") === written.probes.get("digest");
    return [
      ...findings,
      judge(
        "sleep and wake",
        isSame,
        isSame
          ? `asleep after ${seconds(sleptAfterMs)} with a viewer looking on; the files came back byte for byte`
          : "the files came back DIFFERENT",
      ),
      ok("hydrate", `awake in ${seconds(wakeMs)}, start included: ${speed(WORK_BYTES, wakeMs)} or better`),
    ];
  },
};

const hibernation: Check = {
  name: "hibernation",
  async run(setting) {
    const { sessionId } = await setting.bench.session({ host: setting.host });
    const quiet = await setting.client.link(sessionId);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const late = await setting.client.link(sessionId);
    const hasSlept = quiet.bootId !== null && late.bootId !== null && quiet.bootId !== late.bootId;
    const title = `Awake ${Date.now()}`;
    await setting.client.json("PATCH", `/api/sessions/${sessionId}`, { title });
    const isFollowing = await quiet
      .until("the news on the old socket", START_TIMEOUT_MS, () => quiet.state().title === title)
      .then(
        () => true,
        () => false,
      );
    quiet.close();
    late.close();
    return [
      judge(
        "hibernation",
        hasSlept && isFollowing,
        hasSlept && isFollowing
          ? `after ${seconds(IDLE_MS)} with an open socket the session had left memory, and the socket still works`
          : `left memory: ${hasSlept}, socket works: ${isFollowing}`,
      ),
    ];
  },
};

export const CHECKS: readonly Check[] = [frontDoor, coldStart, canary, egress, hibernation, saveAndWake];
