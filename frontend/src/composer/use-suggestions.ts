/**
 * What the composer offers while a command or a file is being typed. Joins the two pure finders with the file look-up,
 * which the runner answers, or what is saved: a look-up never starts one.
 */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useActions } from "../session/use-session.ts";
import { insertMention, mentionAt } from "./mention.ts";
import { t } from "./messages.ts";
import { slashChoices, type SlashContext } from "./slash.ts";

/** Letters come faster than answers; one look-up for a short pause. */
const FIND_PAUSE_MS = 120;

export interface Suggestion {
  key: string;
  label: string;
  hint: string;
  description: string;
  group: keyof typeof t.groups;
  text: string;
  caret: number;
  runs: boolean;
}

export interface Suggestions {
  items: readonly Suggestion[];
  /** Said in place of an empty list; null when nothing is being looked for. */
  note: string | null;
  active: number;
  move: (step: 1 | -1) => void;
  setActive: (index: number) => void;
  close: () => void;
}

function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value, pauseMs]);
  return settled;
}

export function useSuggestions(sessionId: string, text: string, caret: number, context: SlashContext, hasFiles: boolean): Suggestions {
  const actions = useActions();
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const [picked, setPicked] = useState<{ text: string; index: number }>({ text: "", index: 0 });
  const mention = mentionAt(text, caret);
  const fragment = useSettled(mention?.fragment ?? null, FIND_PAUSE_MS);
  const found = useQuery({
    queryKey: ["session", sessionId, "find", fragment],
    enabled: fragment !== null && mention !== null && hasFiles,
    staleTime: 10_000,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const result = await actions.query({ kind: "find", text: (fragment ?? "").slice(0, 200) });
      return result.kind === "find" ? result.paths : [];
    },
  });
  const items = useMemo((): Suggestion[] => {
    const mention = mentionAt(text, caret);
    if (mention !== null) {
      return (found.data ?? []).map((path) => ({
        key: `file:${path}`,
        label: path,
        hint: "",
        description: "",
        group: "files",
        runs: false,
        ...insertMention(text, caret, mention, path),
      }));
    }
    return slashChoices(text, caret, context).map((choice) => ({ ...choice, caret: choice.text.length }));
  }, [text, caret, context, found.data]);

  const isClosed = closedFor === text || text === "";
  const active = picked.text === text ? Math.min(picked.index, Math.max(0, items.length - 1)) : 0;
  const setActive = (index: number) => setPicked({ text, index });
  return {
    items: isClosed ? [] : items,
    note: isClosed || mention === null || items.length > 0 ? null : findNote(hasFiles, found.isFetching),
    active,
    setActive,
    move: (step) => setActive((active + step + items.length) % Math.max(1, items.length)),
    close: () => setClosedFor(text),
  };
}

function findNote(hasFiles: boolean, isFetching: boolean): string {
  if (!hasFiles) return t.findAsleep;
  return isFetching ? t.finding : t.noFiles;
}
