/** The end of the account. What goes is named before the password is asked for; nothing else confirms it. */
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useLocation } from "wouter";
import { ApiError, messageOf } from "../api/client.ts";
import { deleteAccount } from "../auth/sign-in.ts";
import { paths } from "../routes.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { t } from "./account-messages.ts";

const FORM_ID = "delete-account";

export default function DeleteAccountDialog({ email, onClose }: { email: string; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [isEmpty, setIsEmpty] = useState(false);
  const remove = useMutation({
    mutationFn: deleteAccount,
    // The password is the variable of this call: kept no longer than the call.
    gcTime: 0,
    onSuccess: () => navigate(paths.accountDeleted, { replace: true }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get("password");
    const isGiven = typeof password === "string" && password !== "";
    setIsEmpty(!isGiven);
    if (isGiven && !remove.isPending) remove.mutate(password);
  };
  const isWrong = remove.error instanceof ApiError && remove.error.code === "bad_credentials";
  const fieldError = isEmpty ? t.passwordMissing : isWrong ? t.passwordWrong : undefined;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !remove.isPending && onClose()}
      title={t.dialogTitle}
      description={t.dialogText(email)}
      footer={
        <>
          <Button disabled={remove.isPending} onClick={onClose}>
            {t.cancel}
          </Button>
          <Button variant="danger" type="submit" form={FORM_ID} disabled={remove.isPending}>
            {remove.isPending ? t.deleting : t.confirm}
          </Button>
        </>
      }
    >
      <ul className="mb-2 list-disc space-y-0.5 pl-5 text-ui text-fg-2">
        {t.goes.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="mb-3 text-ui text-fg-2">{t.stays}</p>
      <form id={FORM_ID} noValidate onSubmit={submit}>
        <TextField label={t.password} name="password" type="password" autoComplete="current-password" error={fieldError} />
      </form>
      {remove.isError && !isWrong && (
        <div className="mt-3">
          <Callout tone="bad" alert>
            {messageOf(remove.error)}
          </Callout>
        </div>
      )}
    </Dialog>
  );
}
