/** `service`: prints what starts `connect` with the computer; installing it is one command that the person runs. */
import path from "node:path";
import { answer, remark } from "../output.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION } from "./signed-in.ts";

const LABEL = "dev.ai-dev-platform.agent";

export const service = defineCommand({
  name: "service",
  summary: "print a unit that starts connect with this computer (systemd or launchd)",
  options: { server: SERVER_OPTION, data: DATA_OPTION, json: JSON_OPTION },
  run: async ({ server, data, json }) => {
    const dataDir = dataDirOf(data);
    const login = requireLogin(server, dataDir);
    const command = [process.execPath, process.argv[1] ?? "ai-dev-agent", "connect", "--server", login.server, "--data", dataDir];
    const unit = unitFor(process.platform, command, process.env["PATH"] ?? "");
    if (unit === null)
      throw new UserError(
        "There is no unit for this system.",
        `Start this when you sign in: ai-dev-agent connect --server ${login.server}`,
      );
    if (json) answer(JSON.stringify({ ok: true, ...unit }));
    else {
      answer(unit.text);
      remark(
        `\nSave it and start it:\n  mkdir -p ${path.posix.dirname(unit.file)} && ai-dev-agent service > ${unit.file}\n  ${unit.start}`,
      );
    }
    return EXIT.ok;
  },
});

export interface Unit {
  text: string;
  file: string;
  start: string;
}

export function unitFor(platform: NodeJS.Platform, command: readonly string[], searchPath: string): Unit | null {
  if (platform === "linux") return systemd(command, searchPath);
  return platform === "darwin" ? launchd(command, searchPath) : null;
}

/** Ends the connection only: runners are no children of it that systemd should kill (KillMode). */
function systemd(command: readonly string[], searchPath: string): Unit {
  const text = `[Unit]
Description=AI Dev Platform agent
After=network-online.target

[Service]
ExecStart=${command.map(systemdQuoted).join(" ")}
Environment=${systemdQuoted(`PATH=${searchPath}`)}
Restart=on-failure
RestartSec=10
# Not signed in: starting again does not help.
RestartPreventExitStatus=1 3
KillMode=process
NoNewPrivileges=true

[Install]
WantedBy=default.target`;
  const file = "~/.config/systemd/user/ai-dev-agent.service";
  return { text, file, start: "systemctl --user daemon-reload && systemctl --user enable --now ai-dev-agent" };
}

/** In double quotes: backslash and quote are escaped, and what systemd would replace is doubled. */
const systemdQuoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;

function launchd(command: readonly string[], searchPath: string): Unit {
  const words = command.map((word) => `    <string>${xml(word)}</string>`).join("\n");
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xml(searchPath)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>AbandonProcessGroup</key>
  <true/>
</dict>
</plist>`;
  const file = `~/Library/LaunchAgents/${LABEL}.plist`;
  return { text, file, start: `launchctl bootstrap gui/$(id -u) ${file}` };
}

const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
