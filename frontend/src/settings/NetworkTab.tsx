/** What all sandboxes of this person may reach, and the logins by which their sessions reach private repositories. */
import type { AllowedHostBody, GitCredentialBody } from "@ai-dev-platform/protocol/http";
import { useState } from "react";
import { messageOf } from "../api/client.ts";
import { HostList } from "../hosting/HostList.tsx";
import { Button } from "../ui/button.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { GitLoginDialog } from "./GitLoginDialog.tsx";
import { Loaded } from "./Loaded.tsx";
import { t } from "./messages.ts";
import { useAllowedHosts, useGitLogins } from "./use-network.ts";

export function NetworkTab() {
  const hosts = useAllowedHosts();
  const logins = useGitLogins();
  const [isAdding, setIsAdding] = useState(false);
  return (
    <div className="flex flex-col gap-6">
      <section>
        <h3 className="mb-1 font-medium">{t.network.hosts}</h3>
        <p className="mb-3 text-fg-2">{t.network.hostsAbout}</p>
        <Loaded query={hosts.list}>{(list) => <AllowedHosts list={list} hosts={hosts} />}</Loaded>
      </section>
      <section className="border-t border-line pt-4">
        <h3 className="mb-1 font-medium">{t.network.git}</h3>
        <p className="mb-3 text-fg-2">{t.network.gitAbout}</p>
        <Loaded query={logins.list}>
          {(list) => (
            <>
              {list.length === 0 ? (
                <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.network.noGit}</p>
              ) : (
                <ul className="divide-y divide-line rounded-card border border-line">
                  {list.map((login) => (
                    <LoginRow key={login.credentialId} login={login} remove={logins.remove} />
                  ))}
                </ul>
              )}
              <Button className="mt-3" onClick={() => setIsAdding(true)}>
                {t.network.addGit}
              </Button>
            </>
          )}
        </Loaded>
      </section>
      {isAdding && <GitLoginDialog onClose={() => setIsAdding(false)} />}
    </div>
  );
}

function AllowedHosts({ list, hosts: { allow, forbid } }: { list: readonly AllowedHostBody[]; hosts: ReturnType<typeof useAllowedHosts> }) {
  const before = list.map(({ host }) => host);
  const change = (after: readonly string[]) => {
    for (const host of after) if (!before.includes(host)) allow.mutate(host);
    for (const host of before) if (!after.includes(host)) forbid.mutate(host);
  };
  const failed = allow.isError ? allow.error : forbid.isError ? forbid.error : null;
  return (
    <>
      <HostList label={t.network.hosts} hosts={before} onChange={change} disabled={allow.isPending || forbid.isPending} />
      {failed !== null && (
        <p role="alert" className="mt-1 text-label text-bad">
          {messageOf(failed)}
        </p>
      )}
    </>
  );
}

function LoginRow({ login, remove }: { login: GitCredentialBody; remove: ReturnType<typeof useGitLogins>["remove"] }) {
  const { credentialId, host, username, last4, createdAt, lastUsedAt } = login;
  const isMine = remove.variables === credentialId;
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-mono text-mono font-medium break-all">{host}</p>
        <p className="text-label text-fg-2">
          {username} · <span className="font-mono">…{last4}</span>
        </p>
        <p className="text-label text-fg-3">
          {t.network.added} <RelativeTime at={createdAt} inWords /> · {t.network.lastUsed}{" "}
          {lastUsedAt === null ? t.network.never : <RelativeTime at={lastUsedAt} inWords />}
        </p>
        {remove.isError && isMine && (
          <p role="alert" className="text-label text-bad">
            {messageOf(remove.error)}
          </p>
        )}
      </div>
      <Button
        size="sm"
        variant="ghost"
        aria-label={t.network.removeGitLabel(host)}
        disabled={remove.isPending}
        onClick={() => remove.mutate(credentialId, { onSuccess: () => toast(t.network.removedGit(host)) })}
      >
        {t.network.removeGit}
      </Button>
    </li>
  );
}
