/** The image by itself: who may read what in it, what it brings, and that it holds to a memory limit. */
import { randomBytes } from "node:crypto";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LAUNCHER } from "../../agent/src/sandbox/account.ts";
import { docker, dockerText, setting } from "./setting.ts";

const CANARY = "canary-9d41c7";
/** Nothing answers there: the runner goes on dialling, which is all that these tests need of it. */
const NOWHERE = "http://127.0.0.1:9";
const PATH = "/usr/local/bin:/usr/bin:/bin";
const RUNNER = "/opt/ai-dev-runner/main.js";

describe.skipIf(setting === null)("the sandbox image", () => {
  let container = "";
  /** With an environment of its own: a command that the engine starts would get the container's, which the agent's never do. */
  const asAgent = (command: string) =>
    docker(["exec", "--user", "agent", container, "env", "-i", "HOME=/home/agent", `PATH=${PATH}`, "sh", "-c", command]);
  const asRoot = (command: string) => docker(["exec", container, "sh", "-c", command]);
  const image = setting?.sandbox ?? "";

  beforeAll(async () => {
    const variables = {
      AIDEV_SESSION: formatId("session", randomBytes(ID_RANDOM_BYTES)),
      AIDEV_INCARNATION: "1",
      AIDEV_SOURCE: JSON.stringify({ kind: "empty" }),
      AIDEV_SERVER: NOWHERE,
      AIDEV_MODEL_URL: `${NOWHERE}/llm`,
      AIDEV_LINK_TOKEN: `${CANARY}-link`,
      AIDEV_MODEL_TOKEN: `${CANARY}-model`,
    };
    const environment = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    container = dockerText("run", "--detach", ...environment, image);
    await vi.waitUntil(() => asRoot("ls /var/lib/ai-dev-runner").stdout.includes("outbox"), { timeout: 20_000 });
  });
  afterAll(() => docker(["rm", "-f", container]));

  it("runs the runner as another user than the agent, and no server beside it", async () => {
    const lines = dockerText("exec", container, "ps", "-eo", "pid=,user=,args=").split("\n");
    const runner = lines.filter((line) => line.includes(RUNNER) && !line.includes("tini"));
    expect(runner).toHaveLength(1);
    expect(runner[0]).toMatch(/^\s*\d+\s+root\s/);
    expect(lines.find((line) => /^\s*1\s/.test(line))).toContain("tini --");
    expect(lines.filter((line) => line.includes("/container-server/"))).toEqual([]);
    const files = lines.filter((line) => line.includes("files.js"));
    expect(files[0]).toMatch(/^\s*\d+\s+agent\s/);
  });

  it("gives the agent nothing to command behind the port that the platform looks at", () => {
    const body = `{"command":"id"}`;
    const asked = asAgent(
      `for p in ping api/execute api/process/start rpc; do curl -s -X POST -d '${body}' http://127.0.0.1:3000/$p; done`,
    );
    expect(asked.stdout).toBe("up\n".repeat(4));
  });

  it("shows the agent neither the runner's environment, nor its memory, nor its files", () => {
    expect(asRoot(`cat /proc/*/environ | tr '\\0' '\\n' | grep -c ${CANARY}`).stdout.trim()).not.toBe("0");
    expect(asAgent(`cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep ${CANARY}`).stdout).toBe("");
    expect(asAgent(`for p in /proc/[0-9]*; do grep -q ai-dev-runner $p/cmdline && head -c1 $p/mem; done`).stderr).toContain(
      "Permission denied",
    );
    expect(asAgent("ls /var/lib/ai-dev-runner").stderr).toContain("Permission denied");
    expect(asAgent(`grep -rs ${CANARY} /var /etc /opt/ai-dev-runner/*.js /tmp /run /session`).stdout).toBe("");
    expect(dockerText("logs", container)).not.toContain(CANARY);
  });

  it("gives the agent no way to another user or to the runner's process", () => {
    expect(asRoot("find / -xdev -type f -perm /6000").stdout).toBe("");
    expect(asAgent("command -v sudo || su -c id").stdout).toBe("");
    expect(asAgent("setpriv --reuid=0 id").status).not.toBe(0);
    expect(asAgent(`kill -9 $(pgrep -f ${RUNNER})`).stderr).toContain("not permitted");
    expect(asAgent("touch /opt/ai-dev-runner/main.js /usr/local/bin/x /etc/x").status).not.toBe(0);
    expect(asAgent("grep CapEff /proc/self/status").stdout).toContain("0000000000000000");
  });

  it("lets what the runner starts for the agent keep no capability and gain none", () => {
    const status = asRoot(`${LAUNCHER.join(" ")} grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|^[UG]id|Groups' /proc/self/status`).stdout;
    for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(status).toMatch(new RegExp(`${name}:\\t0{16}`));
    expect(status).toMatch(/NoNewPrivs:\t1/);
    expect(status).toMatch(/Uid:\t10001\t10001\t10001\t10001/);
    expect(status).toMatch(/Groups:\t\s*$/m);
  });

  it("brings the tools, and nothing that a terminal of a week ago left", () => {
    const tools = ["git", "rg", "zstd", "python3", "gcc", "make", "node", "npm", "tini", "ssh"];
    expect(asAgent(`for t in ${tools.join(" ")}; do command -v $t >/dev/null || echo "no $t"; done`).stdout).toBe("");
    expect(asAgent("cd ~ && printf 'int main(){return 0;}' > a.c && gcc a.c -o a && ./a && echo built").stdout).toContain("built");
    expect(asAgent("find /session -mindepth 1").stdout).toBe("");
  });

  it("kills what outgrows a container's memory", () => {
    const limited = dockerText("run", "--detach", "--memory", "300m", "--memory-swap", "300m", "--entrypoint", "sleep", image, "300");
    try {
      const eater = docker(["exec", "--user", "agent", limited, "python3", "-c", "b = bytearray(500_000_000); print(len(b))"]);
      expect(eater.status).toBe(137);
      expect(eater.stdout).toBe("");
    } finally {
      docker(["rm", "-f", limited]);
    }
  });

  it("says what is wrong with its environment without the values", () => {
    const ran = docker(["run", "--rm", "--env", `AIDEV_SESSION=${CANARY}`, "--env", "AIDEV_INCARNATION=1", image]);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain("bad_environment");
    expect(ran.stderr).toContain("AIDEV_SESSION");
    expect(ran.stderr).not.toContain(CANARY);
  });

  it("keeps our own part of the image small: a new version of the runner moves little", () => {
    const layers = dockerText("history", "--format", "{{.Size}}\t{{.CreatedBy}}", "--human=false", "--no-trunc", image).split("\n");
    const ours = layers.filter((line) => line.includes("COPY") && line.includes("/opt/ai-dev-runner"));
    const bytes = ours.map((line) => Number(line.split("\t")[0])).reduce((sum, one) => sum + one, 0);
    expect(ours.length).toBeGreaterThanOrEqual(3);
    expect(bytes).toBeLessThan(4_000_000);
  });
});
