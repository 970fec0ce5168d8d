import { messageOf } from "../api/client.ts";
import { KeyForm } from "../settings/KeyForm.tsx";
import { t as settingsMessages } from "../settings/messages.ts";
import { usePatchSettings } from "../settings/use-settings.ts";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";

/** One card that asks for the key, with the field in place. */
export function FirstRun({ hasDemo }: { hasDemo: boolean }) {
  const patch = usePatchSettings();
  return (
    <section
      aria-labelledby="first-run"
      className="mx-auto mt-4 mb-6 w-full max-w-[520px] rounded-dock border border-line bg-surface p-5 md:mt-[8vh]"
    >
      <h2 id="first-run" className="text-title font-semibold">
        {t.keyTitle}
      </h2>
      <p className="mt-1 mb-4 text-fg-2">{t.keyText}</p>
      <KeyForm submitLabel={settingsMessages.key.checkAndSave} hint={settingsMessages.key.fieldHint} />
      {hasDemo && (
        <div className="mt-4 border-t border-line pt-4">
          <Button disabled={patch.isPending} onClick={() => patch.mutate({ useDemoModel: true })}>
            {t.tryDemo}
          </Button>
          <p className="mt-2 text-label text-fg-3">{t.demoHint}</p>
          {patch.isError && (
            <p role="alert" className="mt-1 text-label text-bad">
              {messageOf(patch.error)}
            </p>
          )}
        </div>
      )}
    </section>
  );
}
