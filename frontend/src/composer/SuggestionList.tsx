import { useEffect } from "react";
import { classes } from "../ui/classes.ts";
import { t } from "./messages.ts";
import type { Suggestion, Suggestions } from "./use-suggestions.ts";

export const optionId = (listId: string, index: number): string => `${listId}-${index}`;

/** The list over the field. The focus stays in the field; the active option is named by its id. */
export function SuggestionList({
  id,
  suggestions,
  onChoose,
}: {
  id: string;
  suggestions: Suggestions;
  onChoose: (item: Suggestion) => void;
}) {
  const { items, active, note } = suggestions;
  useEffect(() => {
    document.getElementById(optionId(id, active))?.scrollIntoView({ block: "nearest" });
  }, [id, active]);
  if (items.length === 0 && note === null) return null;
  return (
    <div className="absolute inset-x-0 bottom-full z-20 mb-1 animate-overlay overflow-hidden rounded-dock border border-line bg-raised shadow-overlay">
      {note !== null && <p className="px-3 py-2 text-label text-fg-3">{note}</p>}
      {/* oxlint-disable jsx-a11y/prefer-tag-over-role, jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the focus and the keys stay in the field, which names the active option */}
      <div
        id={id}
        role="listbox"
        aria-label={t.suggestions}
        tabIndex={0}
        hidden={items.length === 0}
        className="max-h-72 overflow-y-auto overscroll-contain p-1 outline-none"
      >
        {items.map((item, index) => (
          <div key={item.key}>
            {item.group !== items[index - 1]?.group && (
              <p role="presentation" className="px-2 pt-1.5 pb-0.5 text-meta font-medium text-fg-3">
                {t.groups[item.group]}
              </p>
            )}
            <div
              id={optionId(id, index)}
              role="option"
              aria-selected={index === active}
              // Keeps the focus, and the phone's keyboard, in the field.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => onChoose(item)}
              onPointerMove={() => suggestions.setActive(index)}
              className={classes(
                "flex min-h-8 items-baseline gap-2 rounded-control px-2 py-1 text-ui pointer-coarse:min-h-11 pointer-coarse:items-center",
                index === active && "bg-hover",
              )}
            >
              <span className={classes("flex-none", item.group === "files" ? "max-w-full truncate font-mono text-mono" : "font-medium")}>
                {item.label}
              </span>
              {item.hint !== "" && <span className="flex-none font-mono text-label text-fg-3">{item.hint}</span>}
              <span className="min-w-0 truncate text-label text-fg-2">{item.description}</span>
            </div>
          </div>
        ))}
      </div>
      {/* oxlint-enable jsx-a11y/prefer-tag-over-role, jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus */}
    </div>
  );
}
