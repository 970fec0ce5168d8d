import { Dialog } from "../ui/dialog.tsx";
import { t } from "./messages.ts";
import { isMac } from "./platform.ts";
import { setKeyPreferences, useKeyPreferences } from "./preferences.ts";
import { GROUP_NAMES, SHORTCUTS, shownKeys, type ShortcutGroup } from "./shortcuts.ts";

const GROUPS: readonly ShortcutGroup[] = ["anywhere", "prompt", "transcript", "requests", "changes"];

function Switch({
  label,
  hint,
  checked,
  onChange,
}: {
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="flex min-h-8 items-center gap-2 text-ui pointer-coarse:min-h-11">
      <input type="checkbox" className="size-4 accent-ink" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <span>{label}</span>
      {hint !== undefined && <span className="text-label text-fg-3">{hint}</span>}
    </label>
  );
}

/** Every shortcut, and the two choices about keys. */
export function ShortcutSheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const preferences = useKeyPreferences();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t.title} description={t.description} wide>
      <div className="mb-4 flex flex-wrap gap-x-6 border-b border-line pb-3">
        <Switch
          label={t.singleLetters}
          checked={preferences.singleLetters}
          onChange={(singleLetters) => setKeyPreferences({ singleLetters })}
        />
        <Switch
          label={t.enterSends}
          hint={t.enterSendsHint}
          checked={preferences.enterSends}
          onChange={(enterSends) => setKeyPreferences({ enterSends })}
        />
      </div>
      <div className="gap-x-8 md:columns-2">
        {GROUPS.map((group) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-label font-medium text-fg-3">{GROUP_NAMES[group]}</h3>
            <dl>
              {SHORTCUTS.filter((shortcut) => shortcut.group === group).map((shortcut) => (
                <div key={shortcut.id} className="flex min-h-7 items-center justify-between gap-4">
                  <dt className="text-ui text-fg-2">{shortcut.label}</dt>
                  <dd>
                    <kbd className="rounded-chip border border-line bg-sunken px-1.5 py-0.5 font-sans text-label whitespace-nowrap text-fg">
                      {shownKeys(shortcut.shown, isMac)}
                    </kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
