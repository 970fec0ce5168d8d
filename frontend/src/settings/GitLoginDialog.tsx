/** Takes a Git login, has it checked and stored. The secret lives in the field alone: never in React state, storage or a URL. */
import { useId, useRef, useState, type FormEvent } from "react";
import { readHost } from "../hosting/host-pattern.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";
import { problemOf } from "./problem-of.ts";
import { useGitLogins } from "./use-network.ts";

const QUIET = { autoCapitalize: "off", autoCorrect: "off", autoComplete: "off", spellCheck: false } as const;

interface Fields {
  host: string;
  username: string;
  repository: string;
}
type Problems = Partial<Record<"host" | "secret", string>>;

export function GitLoginDialog({ onClose }: { onClose: () => void }) {
  const formId = useId();
  const secretField = useRef<HTMLInputElement>(null);
  const [fields, setFields] = useState<Fields>({ host: "github.com", username: "", repository: "" });
  const [problems, setProblems] = useState<Problems>({});
  const { add } = useGitLogins();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readHost(fields.host);
    const secret = secretField.current?.value.trim() ?? "";
    const isName = read.ok && !read.host.startsWith("*.");
    setProblems({
      ...(isName ? {} : { host: read.ok ? t.network.wildcard : read.problem }),
      ...(secret === "" ? { secret: t.network.secretEmpty } : {}),
    });
    if (!isName || secret === "" || add.isPending) return;
    const [username, repository] = [fields.username.trim(), fields.repository.trim()];
    const login = { host: read.host, secret, ...(username === "" ? {} : { username }), ...(repository === "" ? {} : { repository }) };
    add.mutate(login, {
      onSuccess: ({ host }) => {
        toast(t.network.addedGit(host));
        onClose();
      },
    });
  };
  const text = (name: keyof Fields) => ({
    ...QUIET,
    value: fields[name],
    onChange: (event: { target: { value: string } }) => setFields({ ...fields, [name]: event.target.value }),
  });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t.network.addGit}
      description={t.network.addGitAbout}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" disabled={add.isPending}>
            {add.isPending ? t.key.checking : t.key.checkAndSave}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-3">
        <TextField {...text("host")} label={t.network.host} inputMode="url" error={problems.host} maxLength={253} />
        <TextField {...text("username")} label={t.network.username} hint={t.network.usernameHint} maxLength={100} />
        <TextField
          {...QUIET}
          ref={secretField}
          type="password"
          data-1p-ignore=""
          data-lpignore="true"
          label={t.network.secret}
          hint={t.network.secretHint}
          error={problems.secret}
          maxLength={2_000}
        />
        <TextField {...text("repository")} label={t.network.repository} hint={t.network.repositoryHint} inputMode="url" maxLength={2_000} />
        {add.isError && (
          <Callout tone="bad" alert>
            {problemOf(add.error)}
          </Callout>
        )}
      </form>
    </Dialog>
  );
}
