/** API tokens: the list, the way to a new one with its secret once, and revoking. */
import type { ApiScope, ApiTokenBody, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { Plus } from "lucide-react";
import { useRef, useState, type Ref } from "react";
import { messageOf } from "../api/client.ts";
import { Loaded } from "../settings/Loaded.tsx";
import { useKeys } from "../settings/use-settings.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { useFocusAfter } from "../ui/use-focus-after.ts";
import { t } from "./messages.ts";
import { Failure, SecretOnce, SecretPart } from "./SecretOnce.tsx";
import { CallSnippet } from "./Snippet.tsx";
import { callFor } from "./snippets.ts";
import { EMPTY_TOKEN } from "./token-form.ts";
import { TokenDialog } from "./TokenDialog.tsx";
import { TokenRow } from "./TokenRow.tsx";
import { useTokens } from "./use-programs.ts";

type Step = { at: "list" | "form" } | { at: "secret"; created: ApiTokenCreatedBody } | { at: "revoke"; token: ApiTokenBody };

export function Tokens({ offered }: { offered: readonly ApiScope[] }) {
  const { list, create, revoke } = useTokens();
  const keys = useKeys().data ?? [];
  const [step, setStep] = useState<Step>({ at: "list" });
  const [fields, setFields] = useState(EMPTY_TOKEN);
  const opener = useRef<HTMLButtonElement>(null);
  const askForFocus = useFocusAfter(step.at !== "list", opener);
  const close = () => {
    setStep({ at: "list" });
    create.reset();
    revoke.reset();
  };
  /** What was pressed is gone: the focus goes where one would go on. */
  const closeAndReturn = () => {
    askForFocus();
    close();
  };
  const make = (token: Parameters<typeof create.mutate>[0]) =>
    create.mutate(token, {
      onSuccess: (created) => {
        setStep({ at: "secret", created });
        setFields(EMPTY_TOKEN);
        create.reset();
      },
    });
  const open = () => setStep({ at: "form" });
  const cutOff = ({ tokenId, name }: ApiTokenBody) =>
    revoke.mutate(tokenId, {
      onSuccess: () => {
        toast(t.tokens.revoked(name));
        closeAndReturn();
      },
    });
  return (
    <section aria-label={t.tokens.title}>
      <Loaded query={list}>
        {(tokens) => (
          <>
            <Head title={t.tokens.title} action={t.tokens.open} onAction={open} ref={opener} />
            {tokens.length === 0 ? (
              <Empty offered={offered} keys={keys} />
            ) : (
              <ul className="divide-y divide-line rounded-card border border-line">
                {tokens.map((token) => (
                  <TokenRow key={token.tokenId} token={token} onRevoke={() => setStep({ at: "revoke", token })} />
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
      {step.at === "form" && (
        <TokenDialog
          fields={fields}
          change={(patch) => setFields((before) => ({ ...before, ...patch }))}
          offered={offered}
          create={create}
          onSubmit={make}
          onClose={close}
        />
      )}
      {step.at === "secret" && (
        <SecretOnce
          title={t.secret.tokenTitle(step.created.name)}
          field={t.secret.tokenField}
          secret={step.created.token}
          note={t.secret.once}
          onClose={closeAndReturn}
        >
          <SecretPart title={t.secret.tryIt}>
            <CallSnippet call={callFor(step.created.scopes, step.created.token, keys, location.origin)} />
          </SecretPart>
        </SecretOnce>
      )}
      {step.at === "revoke" && <RevokeDialog token={step.token} revoke={revoke} onConfirm={() => cutOff(step.token)} onClose={close} />}
    </section>
  );
}

interface HeadProps {
  title: string;
  action: string;
  onAction: () => void;
  ref: Ref<HTMLButtonElement>;
}

/** The line over a list: what it is, and the way to one more. */
export function Head({ title, action, onAction, ref }: HeadProps) {
  return (
    <div className="mb-2 flex items-center justify-between gap-4">
      <h3 className="font-semibold">{title}</h3>
      <Button ref={ref} size="sm" onClick={onAction}>
        <Plus aria-hidden className="icon" />
        {action}
      </Button>
    </div>
  );
}

/** What a token is good for, by a call that would work. */
function Empty({ offered, keys }: { offered: readonly ApiScope[]; keys: readonly KeyBody[] }) {
  return (
    <div className="rounded-card border border-line bg-surface p-4">
      <h4 className="font-medium">{t.tokens.emptyTitle}</h4>
      <p className="mt-1 mb-3 text-fg-2">{t.tokens.emptyText}</p>
      <CallSnippet call={callFor(offered, t.tokens.masked(""), keys, location.origin)} />
    </div>
  );
}

interface RevokeDialogProps {
  token: ApiTokenBody;
  revoke: ReturnType<typeof useTokens>["revoke"];
  onConfirm: () => void;
  onClose: () => void;
}

function RevokeDialog({ token, revoke, onConfirm, onClose }: RevokeDialogProps) {
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t.tokens.revokeTitle(token.name)}
      description={t.tokens.revokeText}
      footer={
        <>
          <Button onClick={onClose}>{t.tokens.keep}</Button>
          <Button variant="danger" disabled={revoke.isPending} onClick={onConfirm}>
            {t.tokens.revokeConfirm}
          </Button>
        </>
      }
    >
      {revoke.isError && <Failure text={messageOf(revoke.error)} />}
    </Dialog>
  );
}
