/** The browsers that may command a person's computers: this one with its fingerprint, the others to compare and to take away. */
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import type { ReactNode } from "react";
import { messageOf } from "../api/client.ts";
import { useMe } from "../auth/use-me.ts";
import { Loaded } from "../settings/Loaded.tsx";
import { useBrowserKey, type ShownKey } from "../signing/use-browser-key.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { CommandLine } from "./CommandLine.tsx";
import { t } from "./messages.ts";
import { useCommands } from "./use-program.ts";
import { useBrowserKeys, useForgetKey, useMakeKey } from "./use-browser-keys.ts";

export function Browsers() {
  const me = useMe();
  const here = useBrowserKey(me.data?.userId);
  const keys = useBrowserKeys();
  const forget = useForgetKey();
  return (
    <section aria-labelledby="browsers">
      <h3 id="browsers" className="font-semibold">
        {t.browsers.title}
      </h3>
      <p className="mt-0.5 mb-2 text-fg-2">{t.browsers.about}</p>
      <Loaded query={keys}>
        {(list) => (
          <ul className="divide-y divide-line rounded-card border border-line">
            {here.isSuccess && <ThisBrowser browserKey={here.data ?? null} userId={me.data?.userId} />}
            {list
              .filter(({ keyId }) => keyId !== here.data?.keyId)
              .map(({ keyId, name, createdAt }) => (
                <KeyRow key={keyId} name={name} fingerprint={fingerprintOf(keyId)} note={<RelativeTime at={createdAt} inWords />}>
                  <Button
                    size="sm"
                    variant="danger"
                    aria-label={t.browsers.removeLabel(name)}
                    disabled={forget.isPending}
                    onClick={() => forget.mutate(keyId)}
                  >
                    {t.browsers.remove}
                  </Button>
                </KeyRow>
              ))}
          </ul>
        )}
      </Loaded>
      {(keys.data?.length ?? 0) > 1 && <p className="mt-1.5 text-label text-fg-3">{t.browsers.removed}</p>}
      {forget.isError && (
        <div className="mt-2">
          <Callout tone="bad" alert>
            {messageOf(forget.error)}
          </Callout>
        </div>
      )}
    </section>
  );
}

function KeyRow({ name, fingerprint, note, children }: { name: string; fingerprint: string; note: ReactNode; children?: ReactNode }) {
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p>
          <span className="font-medium">{name}</span> <span className="text-label text-fg-3">{note}</span>
        </p>
        <p className="font-mono text-mono [overflow-wrap:anywhere] text-fg-2">{fingerprint}</p>
      </div>
      {children}
    </li>
  );
}

function ThisBrowser({ browserKey, userId }: { browserKey: ShownKey | null; userId: string | undefined }) {
  const make = useMakeKey(userId);
  const { addKey } = useCommands();
  if (browserKey === null) {
    return (
      <li className="flex flex-wrap items-center gap-3 px-4 py-2.5">
        <p className="min-w-48 flex-1 text-fg-2">{make.isSuccess ? t.browsers.unable : t.browsers.noKey}</p>
        <Button disabled={make.isPending} onClick={() => make.mutate()}>
          {t.browsers.make}
        </Button>
        {make.isError && (
          <p role="alert" className="w-full text-label text-bad">
            {messageOf(make.error)}
          </p>
        )}
      </li>
    );
  }
  return (
    <>
      <KeyRow name={browserKey.name} fingerprint={browserKey.fingerprint} note={t.browsers.here} />
      <li className="flex flex-col gap-1.5 px-4 py-2.5">
        <p className="text-label text-fg-2">{t.browsers.pair}</p>
        <CommandLine command={addKey(browserKey.fingerprint)} />
      </li>
    </>
  );
}
