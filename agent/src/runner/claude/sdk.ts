/** The Agent SDK: its types for pure modules, and where the program finds it. Nothing outside this folder imports it. */
import { pathToFileURL } from "node:url";

export type { CanUseTool, PermissionResult, PermissionUpdate } from "@anthropic-ai/claude-agent-sdk";

/** The SDK's main file, where it does not lie beside this program (machine/agent-kit.ts). */
const SDK_VARIABLE = "AI_DEV_AGENT_SDK";

export function loadSdk(): Promise<typeof import("@anthropic-ai/claude-agent-sdk")> {
  const place = process.env[SDK_VARIABLE] ?? "";
  return place === "" ? import("@anthropic-ai/claude-agent-sdk") : import(/* @vite-ignore */ pathToFileURL(place).href);
}
