import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { autostartEntry } from "./autostart.ts";
import { userDataFolder } from "./data-folder.ts";
import { desktopKey, newTicket, writeOpeningPage } from "./ticket.ts";
import { browserPlaces, windowArguments } from "./window.ts";

describe("the data folder", () => {
  it("is the one that each system has for it", () => {
    expect(userDataFolder("linux", {}, "/home/mara")).toBe("/home/mara/.local/share/ai-dev-platform");
    expect(userDataFolder("linux", { XDG_DATA_HOME: "/data/mara" }, "/home/mara")).toBe("/data/mara/ai-dev-platform");
    expect(userDataFolder("linux", { XDG_DATA_HOME: "data" }, "/home/mara")).toBe("/home/mara/.local/share/ai-dev-platform");
    expect(userDataFolder("darwin", { XDG_DATA_HOME: "/x" }, "/Users/mara")).toBe(
      "/Users/mara/Library/Application Support/AI Dev Platform",
    );
    expect(userDataFolder("win32", { LOCALAPPDATA: "D:\\Local" }, "C:\\Users\\mara")).toBe("D:\\Local\\AI Dev Platform");
    expect(userDataFolder("win32", {}, "C:\\Users\\mara")).toBe("C:\\Users\\mara\\AppData\\Local\\AI Dev Platform");
  });
});

describe("the autostart entry", () => {
  it("keeps every word one word", () => {
    const linux = autostartEntry("linux", ["/opt/my node/node", "/a\\b", "50%", 'say "$HOME"'], {}, "/home/mara");
    expect(linux.file).toBe("/home/mara/.config/autostart/ai-dev-platform.desktop");
    expect(linux.text).toContain(`Exec="/opt/my node/node" "/a\\\\\\\\b" "50%%" "say \\\\"\\\\$HOME\\\\""\n`);
    const mac = autostartEntry("darwin", ["/a&b", "<c>"], {}, "/Users/mara");
    expect(mac.file).toBe("/Users/mara/Library/LaunchAgents/dev.ai-dev-platform.desktop.plist");
    expect(mac.text).toContain("<string>/a&amp;b</string>\n    <string>&lt;c&gt;</string>");
    const windows = autostartEntry("win32", ["C:\\Program Files\\node.exe", "100%"], {}, "C:\\Users\\mara");
    expect(windows.file).toContain("C:\\Users\\mara\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\");
    expect(windows.text).toContain('start "" /min "C:\\Program Files\\node.exe" "100%%"\r\n');
  });
});

describe("the window", () => {
  it("is looked for where each system has browsers, and never in a snap", () => {
    expect(browserPlaces("linux", { PATH: "/snap/bin:/usr/bin:bin" }, "/home/mara")[0]).toBe("/usr/bin/chromium");
    expect(browserPlaces("linux", { PATH: "/snap/bin" }, "/home/mara")).toEqual([]);
    expect(browserPlaces("darwin", {}, "/Users/mara")[0]).toBe("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    const windows = browserPlaces("win32", { PROGRAMFILES: "C:\\Program Files", LOCALAPPDATA: "" }, "C:\\Users\\mara");
    expect(windows[0]).toBe("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe");
    expect(windows).toHaveLength(3);
  });
  it("opens a page of its own profile, without a secret on the command line", () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "adp-desktop-"));
    try {
      const page = writeOpeningPage(folder, "http://127.0.0.1:8790");
      expect(statSync(page).mode & 0o777).toBe(0o600);
      const ticket = /desktop#([\w.]+)"/.exec(readFileSync(page, "utf8"))?.[1] ?? "";
      expect(ticket).toMatch(/^\d{13}\.[0-9a-f]{32}\.[0-9a-f]{64}$/);
      expect(windowArguments(path.join(folder, "window"), page).join(" ")).not.toContain(ticket);
      expect(statSync(path.join(folder, "desktop-key")).mode & 0o777).toBe(0o600);
      expect(desktopKey(folder)).toBe(desktopKey(folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  it("has tickets that differ and are signed with the key", () => {
    const ticket = newTicket("key", 1_700_000_000_000);
    const [head, mac] = [ticket.slice(0, ticket.lastIndexOf(".")), ticket.slice(ticket.lastIndexOf(".") + 1)];
    expect(mac).toBe(createHmac("sha256", "key").update(`desktop-ticket ${head}`).digest("hex"));
    expect(newTicket("key", 1_700_000_000_000)).not.toBe(ticket);
  });
});
