/** A launchd property list of something that starts when its person signs in to a Mac. Pure. */

/** `more`: further entries of the dictionary, as lines. */
export function launchdPlist(label: string, command: readonly string[], more: readonly string[] = []): string {
  const lines = [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`,
    `<plist version="1.0">`,
    `<dict>`,
    `  <key>Label</key>`,
    `  <string>${label}</string>`,
    `  <key>ProgramArguments</key>`,
    `  <array>`,
    ...command.map((word) => `    <string>${xml(word)}</string>`),
    `  </array>`,
    `  <key>RunAtLoad</key>`,
    `  <true/>`,
    ...more.map((line) => `  ${line}`),
    `</dict>`,
    `</plist>`,
  ];
  return lines.join("\n");
}

export const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
