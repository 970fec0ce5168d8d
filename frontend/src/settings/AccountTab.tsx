import { useMutation } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { messageOf } from "../api/client.ts";
import { signOut } from "../auth/sign-in.ts";
import { useMe } from "../auth/use-me.ts";
import { paths } from "../routes.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { DeleteAccount } from "./DeleteAccount.tsx";
import { t } from "./messages.ts";

export function AccountTab() {
  const me = useMe();
  const [, navigate] = useLocation();
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => navigate(paths.signIn(), { replace: true }) });
  return (
    <div className="flex flex-col gap-5">
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 rounded-card border border-line p-4">
        <dt className="text-fg-2">{t.account.name}</dt>
        <dd className="min-w-0 break-words">{me.data?.name}</dd>
        <dt className="text-fg-2">{t.account.email}</dt>
        <dd className="min-w-0 break-words">{me.data?.email}</dd>
      </dl>
      <div>
        <Button onClick={() => leave.mutate()} disabled={leave.isPending}>
          {t.account.signOut}
        </Button>
        <p className="mt-2 text-label text-fg-3">{t.account.signOutText}</p>
      </div>
      {leave.isError && (
        <Callout tone="bad" alert>
          {messageOf(leave.error)}
        </Callout>
      )}
      {me.data && <DeleteAccount email={me.data.email} />}
    </div>
  );
}
