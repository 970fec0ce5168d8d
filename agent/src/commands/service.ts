/** `service`: prints what starts `connect` with the computer, and writes it where the person says yes. */
import { launchdPlist, xml } from "../launchd-plist.ts";
import { defineCommand } from "./command.ts";
import { offerFile } from "./offer-file.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION } from "./signed-in.ts";

const LABEL = "dev.ai-dev-platform.agent";

/** launchd starts again whatever did not end with 0; systemd is told which codes mean "stay away". */
export const isLaunchdService = (environment: NodeJS.ProcessEnv): boolean => environment["XPC_SERVICE_NAME"] === LABEL;

export const service = defineCommand({
  name: "service",
  summary: "print what starts connect with this computer (systemd, launchd or a scheduled task)",
  options: {
    server: SERVER_OPTION,
    data: DATA_OPTION,
    install: { type: "boolean", summary: "write it, after asking" },
    yes: { type: "boolean", summary: "with --install: write without asking" },
    json: JSON_OPTION,
  },
  run: async ({ server, data, ...how }) => {
    const dataDir = dataDirOf(data);
    const login = requireLogin(server, dataDir);
    const command = [process.execPath, process.argv[1] ?? "ai-dev-agent", "connect", "--server", login.server, "--data", dataDir];
    const unit = unitFor(process.platform, command, process.env["PATH"] ?? "");
    return offerFile({ ...unit, print: "ai-dev-agent service" }, how);
  },
});

export interface Unit {
  text: string;
  file: string;
  start: string;
}

export function unitFor(platform: NodeJS.Platform, command: readonly string[], searchPath: string): Unit {
  if (platform === "win32") return scheduledTask(command);
  return platform === "darwin" ? launchd(command, searchPath) : systemd(command, searchPath);
}

/** A task of the person's own, at their sign-in. It has no limit of time, and starts again when it failed. */
function scheduledTask(command: readonly string[]): Unit {
  const [program = "", ...args] = command;
  const text = `<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Settings>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions>
    <Exec>
      <Command>${xml(program)}</Command>
      <Arguments>${xml(args.map(windowsQuoted).join(" "))}</Arguments>
    </Exec>
  </Actions>
</Task>`;
  const file = "~/ai-dev-agent-task.xml";
  return { text, file, start: `schtasks /create /tn ai-dev-agent /xml "%USERPROFILE%\\ai-dev-agent-task.xml"` };
}

/** As the C runtime of Windows reads it back: backslashes count only before a quote. */
const windowsQuoted = (word: string): string => `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;

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
  const text = launchdPlist(LABEL, command, [
    `<key>EnvironmentVariables</key>`,
    `<dict>`,
    `  <key>PATH</key>`,
    `  <string>${xml(searchPath)}</string>`,
    `</dict>`,
    `<key>KeepAlive</key>`,
    `<dict>`,
    `  <key>SuccessfulExit</key>`,
    `  <false/>`,
    `</dict>`,
    `<key>ThrottleInterval</key>`,
    `<integer>30</integer>`,
    `<key>AbandonProcessGroup</key>`,
    `<true/>`,
  ]);
  const file = `~/Library/LaunchAgents/${LABEL}.plist`;
  return { text, file, start: `launchctl bootstrap gui/$(id -u) ${file}` };
}
