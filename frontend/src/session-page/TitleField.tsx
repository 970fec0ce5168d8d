import { useRef, useState } from "react";
import { useActions } from "../session/use-session.ts";
import { showFailure } from "./failure.ts";
import { t } from "./messages.ts";

export interface TitleFieldProps {
  title: string;
  mayRename: boolean;
  isEditing: boolean;
  onEditing: (isEditing: boolean) => void;
}

/** The session's name; a click makes it a field. Enter and leaving keep, Escape gives up. */
export function TitleField({ title, mayRename, isEditing, onEditing }: TitleFieldProps) {
  const actions = useActions();
  const opener = useRef<HTMLButtonElement>(null);
  const [text, setText] = useState(title);
  const isDone = useRef(false);
  const shown = title === "" ? t.untitled : title;

  const start = () => {
    setText(title);
    isDone.current = false;
    onEditing(true);
  };
  const finish = (keep: boolean) => {
    if (isDone.current) return;
    isDone.current = true;
    onEditing(false);
    const next = text.trim().slice(0, 200);
    if (keep && next !== "" && next !== title) actions.rename(next).catch(showFailure);
  };
  if (isEditing) {
    return (
      <>
        <h1 className="sr-only">{shown}</h1>
        <input
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the person asked to type here
          autoFocus
          aria-label={t.titleField}
          maxLength={200}
          value={text}
          onFocus={(event) => {
            isDone.current = false;
            setText(title);
            event.target.select();
          }}
          onChange={(event) => setText(event.target.value)}
          onBlur={() => finish(true)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === "Enter") finish(true);
            else if (event.key === "Escape") finish(false);
          }}
          className="field h-7 min-w-0 flex-1 rounded-control border border-line-strong bg-surface px-1.5 font-semibold md:max-w-96"
        />
      </>
    );
  }
  return (
    <h1
      className={
        mayRename
          ? "-mx-1.5 min-w-0 text-ui font-semibold pointer-coarse:text-title"
          : "min-w-0 text-ui font-semibold pointer-coarse:text-title"
      }
    >
      {mayRename ? (
        <button
          ref={opener}
          type="button"
          title={t.rename}
          onClick={start}
          className="block h-7 max-w-full truncate rounded-control px-1.5 hover:bg-hover pointer-coarse:h-11"
        >
          {shown}
        </button>
      ) : (
        <span className="block truncate">{shown}</span>
      )}
    </h1>
  );
}
