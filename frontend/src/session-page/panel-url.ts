/** The workbench's state in the address: `?panel=changes&file=src/a.ts&line=12`. Pure; unknown values fall away. */

export const PANELS = ["changes", "files", "timeline", "network", "mcp"] as const;
export type Panel = (typeof PANELS)[number];

export interface PanelPlace {
  /** `none` was closed by the person; null is the layout's own default. */
  panel: Panel | "none" | null;
  file: string | null;
  line: number | null;
}

const isPanel = (text: string | null): text is Panel => PANELS.some((panel) => panel === text);

export function readPlace(search: string): PanelPlace {
  const params = new URLSearchParams(search);
  const panel = params.get("panel");
  const line = Number(params.get("line"));
  return {
    panel: isPanel(panel) || panel === "none" ? panel : null,
    file: params.get("file"),
    line: Number.isInteger(line) && line > 0 ? line : null,
  };
}

/** The search part for a place; keeps what belongs to others. */
export function writePlace(search: string, place: PanelPlace): string {
  const params = new URLSearchParams(search);
  set(params, "panel", place.panel);
  set(params, "file", place.file);
  set(params, "line", place.line === null ? null : String(place.line));
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

function set(params: URLSearchParams, name: string, value: string | null): void {
  if (value === null) params.delete(name);
  else params.set(name, value);
}
