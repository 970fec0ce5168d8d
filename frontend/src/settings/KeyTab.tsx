import { lazy, Suspense, useState } from "react";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { useConfig } from "../auth/use-me.ts";
import { Callout } from "../ui/callout.tsx";
import { Checkbox } from "../ui/checkbox.tsx";
import { Button } from "../ui/button.tsx";
import { formatCount, formatDay } from "../ui/format.ts";
import { useNow } from "../ui/time.tsx";
import { KeyCard } from "./KeyCard.tsx";
import { KeyForm } from "./KeyForm.tsx";
import { Loaded } from "./Loaded.tsx";
import { t } from "./messages.ts";
import { RemoveKey } from "./RemoveKey.tsx";
import { reminderFor, SNOOZE_MS } from "./rotation.ts";
import { SpendingFields } from "./SpendingFields.tsx";
import { activeKey, useKeys, usePatchSettings, useSettings } from "./use-settings.ts";

const OtherProviders = lazy(() => import("../providers/OtherProviders.tsx"));

export function KeyTab() {
  const keys = useKeys();
  const providers = useConfig().data?.features.providers ?? ["anthropic"];
  // One that is stored can be taken away, whatever the operator offers now.
  const hasAnthropic = providers.includes("anthropic") || activeKey(keys.data) !== null;
  const [isReplacing, setIsReplacing] = useState(false);
  return (
    <div className="flex flex-col gap-5">
      {hasAnthropic && (
        <section aria-label={t.key.title}>
          <h3 className="mb-1 font-semibold">{t.key.title}</h3>
          <p className="mb-3 text-fg-2">{t.key.about}</p>
          <Loaded query={keys}>
            {(list) => {
              const key = activeKey(list);
              return key === null ? (
                <div className="rounded-card border border-line p-4">
                  <p className="mb-3">{t.key.none}</p>
                  <KeyForm submitLabel={t.key.checkAndSave} hint={t.key.fieldHint} />
                </div>
              ) : (
                <StoredKey value={key} isReplacing={isReplacing} setIsReplacing={setIsReplacing} />
              );
            }}
          </Loaded>
        </section>
      )}
      <SpendingFields />
      <DemoSwitch />
      {activeKey(keys.data) !== null && <RemoveKey keyId={activeKey(keys.data)?.keyId ?? ""} />}
      {providers.some((provider) => provider !== "anthropic") && (
        <Suspense fallback={null}>
          <OtherProviders providers={providers} />
        </Suspense>
      )}
    </div>
  );
}

interface StoredKeyProps {
  value: KeyBody;
  isReplacing: boolean;
  setIsReplacing: (isReplacing: boolean) => void;
}

function StoredKey({ value, isReplacing, setIsReplacing }: StoredKeyProps) {
  return (
    <div className="flex flex-col gap-3">
      <KeyCard value={value} onReplace={() => setIsReplacing(true)} />
      {isReplacing ? (
        <section aria-label={t.key.replaceTitle} className="rounded-card border border-line p-4">
          <h3 className="mb-3 font-semibold">{t.key.replaceTitle}</h3>
          <KeyForm
            submitLabel={t.key.checkAndReplace}
            hint={t.key.replaceHint}
            takesFocus
            onDone={() => setIsReplacing(false)}
            onCancel={() => setIsReplacing(false)}
          />
        </section>
      ) : (
        <RotationReminder value={value} onReplace={() => setIsReplacing(true)} />
      )}
    </div>
  );
}

const SNOOZE_KEY = "adp.key-reminder-until";

const readSnooze = (): number => {
  try {
    return Number(localStorage.getItem(SNOOZE_KEY) ?? 0);
  } catch {
    return 0;
  }
};

function RotationReminder({ value, onReplace }: { value: KeyBody; onReplace: () => void }) {
  const now = useNow("minute");
  const [snoozedUntil, setSnoozedUntil] = useState(readSnooze);
  const reminder = reminderFor(value, snoozedUntil, now);
  if (reminder.kind === "none" || value.rotateAt === null) return null;
  const age = t.key.days(formatCount(reminder.ageDays));
  const snooze = () => {
    setSnoozedUntil(now + SNOOZE_MS);
    try {
      localStorage.setItem(SNOOZE_KEY, String(now + SNOOZE_MS));
    } catch {
      // Storage is closed: it is quiet until the page is left.
    }
  };
  return (
    <Callout tone="warn">
      <p>{reminder.kind === "soon" ? t.key.rotate(age, formatDay(value.rotateAt, now)) : t.key.rotateOverdue(age)}</p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="sm" onClick={onReplace}>
          {t.key.replaceKey}
        </Button>
        <Button size="sm" variant="ghost" onClick={snooze}>
          {t.key.remindLater}
        </Button>
      </div>
    </Callout>
  );
}

function DemoSwitch() {
  const config = useConfig();
  const settings = useSettings();
  const patch = usePatchSettings();
  if (config.data?.demoModel !== true || settings.data === undefined) return null;
  return (
    <section aria-label={t.key.demoTitle} className="border-t border-line pt-4">
      <h3 className="mb-1 font-semibold">{t.key.demoTitle}</h3>
      <Checkbox checked={settings.data.useDemoModel} onChange={(useDemoModel) => patch.mutate({ useDemoModel })}>
        {t.key.demo}
        <span className="block text-label text-fg-3">{t.key.demoText}</span>
      </Checkbox>
    </section>
  );
}
