import { isMac } from "../keyboard/platform.ts";
import { setKeyPreferences, useKeyPreferences } from "../keyboard/preferences.ts";
import { GROUP_NAMES, SHORTCUTS, shownKeys, type ShortcutGroup } from "../keyboard/shortcuts.ts";
import { Checkbox } from "../ui/checkbox.tsx";
import { t } from "./messages.ts";

const GROUPS: readonly ShortcutGroup[] = ["anywhere", "prompt", "transcript", "requests", "changes"];

export function ShortcutsTab() {
  const preferences = useKeyPreferences();
  return (
    <div>
      <p className="mb-2 text-fg-2">{t.shortcuts.about}</p>
      <Checkbox checked={preferences.singleLetters} onChange={(singleLetters) => setKeyPreferences({ singleLetters })}>
        {t.shortcuts.single}
      </Checkbox>
      <Checkbox checked={preferences.enterSends} onChange={(enterSends) => setKeyPreferences({ enterSends })}>
        {t.shortcuts.enterSends}
      </Checkbox>
      <div className="mt-4 gap-x-10 md:columns-2">
        <KeyGroup name={t.shortcuts.list} rows={t.shortcuts.rows} />
        {GROUPS.map((group) => (
          <KeyGroup
            key={group}
            name={GROUP_NAMES[group]}
            rows={SHORTCUTS.filter((shortcut) => shortcut.group === group).map(
              ({ shown, label }) => [shownKeys(shown, isMac), label] as const,
            )}
          />
        ))}
      </div>
    </div>
  );
}

function KeyGroup({ name, rows }: { name: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <section className="mb-5 break-inside-avoid">
      <h3 className="mb-1 text-label font-medium text-fg-3">{name}</h3>
      <dl>
        {rows.map(([keys, label]) => (
          <div key={`${keys} ${label}`} className="flex min-h-7 items-center justify-between gap-4">
            <dt className="text-fg-2">{label}</dt>
            <dd>
              <kbd className="rounded-chip border border-line bg-sunken px-1.5 py-0.5 font-sans text-label whitespace-nowrap">{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
