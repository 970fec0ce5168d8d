/** Permission modes as Claude Code names them; the labels are the screen's. */
export const MODES = ["default", "acceptEdits", "plan", "bypassPermissions"] as const;
export type Mode = (typeof MODES)[number];

/** How a session lives (DESIGN, Lifecycles). */
export const LIFECYCLES = ["hydrated", "long-running", "ephemeral"] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** Where the model's answers come from: the owner's stored key, or the scripted demo model. */
export const MODEL_SOURCES = ["key", "demo"] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];
