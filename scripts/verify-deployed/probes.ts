/**
 * Shell scripts that the agent is asked to run inside its host, and the reading of what they print. Pure.
 * Each line of interest is `PROBE <name>=<value>`; everything else is ignored.
 */

export function readProbes(output: string): Map<string, string> {
  return new Map([...output.matchAll(/^PROBE ([\w.:/-]+)=(.*)$/gm)].map((match) => [match[1] ?? "", (match[2] ?? "").trim()]));
}

/** Ways out that must all be shut when the network level is "none". */
const RAW_PORTS = ["1.1.1.1:53", "8.8.8.8:853", "140.82.112.3:22", "1.1.1.1:8443"];

const DNS_QUERY = `
import socket, sys
def ask(server):
    name = b"".join(bytes([len(p)]) + p for p in b"cloudflare.com".split(b".")) + b"\\0"
    query = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + name + b"\\x00\\x10\\x00\\x01"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(4)
    try:
        s.sendto(query, (server, 53)); answer = s.recv(4096)
        return "open" if int.from_bytes(answer[6:8], "big") > 0 else "closed"
    except Exception:
        return "closed"
own = next((l.split()[1] for l in open("/etc/resolv.conf") if l.startswith("nameserver")), None)
print("PROBE dns:public=" + ask("1.1.1.1"))
print("PROBE dns:own=" + (ask(own) if own and ":" not in own else "closed"))
`.trim();

/** Names stay the sandbox's own: a text record of the outside that can be read is a tunnel. */
export const EGRESS_SCRIPT = [
  `for u in https://example.com http://example.com; do if curl -sS -m 8 "$u" 2>/dev/null | grep -q "Example Domain"; then echo "PROBE web:$u=open"; else echo "PROBE web:$u=closed"; fi; done`,
  `for a in ${RAW_PORTS.join(" ")}; do if timeout 5 bash -c "exec 3<>/dev/tcp/\${a%:*}/\${a#*:}" 2>/dev/null; then echo "PROBE tcp:$a=open"; else echo "PROBE tcp:$a=closed"; fi; done`,
  `python3 - <<'PY'\n${DNS_QUERY}\nPY`,
].join("\n");

export const EGRESS_PROBES = 2 + RAW_PORTS.length + 2;

export const REGISTRY_SCRIPT = `echo "PROBE registry=$(curl -sS -m 15 -o /dev/null -w '%{http_code}' https://registry.npmjs.org/-/ping 2>/dev/null)"
echo "PROBE elsewhere=$(curl -sS -m 15 -o /dev/null -w '%{http_code}' https://example.com 2>/dev/null)"`;

const KEY = "sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{20,}";

/** In a sandbox everything that can be read; on a machine, which is somebody's own, the agent's process and its workspace. */
export const canaryScript = (everywhere: boolean): string =>
  [
    `echo "PROBE environment=$(env | grep -cE '${KEY}')"`,
    `echo "PROBE workspace=$(grep -rslE '${KEY}' . 2>/dev/null | wc -l)"`,
    ...(everywhere
      ? [
          `echo "PROBE processes=$(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cE '${KEY}')"`,
          `echo "PROBE disk=$(grep -rslE '${KEY}' "$HOME" /tmp /var/tmp /etc /opt /run 2>/dev/null | wc -l)"`,
        ]
      : []),
  ].join("\n");

const FILES = 200;
const FILE_BYTES = 40_000;
export const WORK_BYTES = FILES * FILE_BYTES;
/** Noise does not compress: the bytes that travel are the bytes that stand here. */
export const WORK_SCRIPT = `mkdir -p data && for i in $(seq 1 ${FILES}); do head -c ${FILE_BYTES} /dev/urandom > data/$i; done
echo "PROBE digest=$(cat $(ls data/* | sort) | sha256sum | cut -c1-64)"`;
export const CHANGE_SCRIPT = `echo changed > note.txt; echo "PROBE changed=yes"`;
export const DIGEST_SCRIPT = `echo "PROBE digest=$(cat $(ls data/* | sort) | sha256sum | cut -c1-64)"`;

/** The same words for a model and for the scripted one, which runs the fence as it stands. */
export const askToRun = (script: string, scripted: boolean): string =>
  `${scripted ? "SCENARIO=run\n" : ""}This is an automated check of the platform. Use the Bash tool once, with exactly this command, then answer only DONE:\n\`\`\`sh\n${script}\n\`\`\``;
