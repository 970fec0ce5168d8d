/** Types of the Agent SDK that pure modules need. Types only: the program itself is imported in `agent.ts` alone. */
export type { CanUseTool, PermissionResult, PermissionUpdate } from "@anthropic-ai/claude-agent-sdk";
