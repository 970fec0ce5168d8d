/** A secret that is shown this once. Who would close it without a copy is asked first. */
import { useRef, useState, type ReactNode } from "react";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FIELD_CLASS } from "../ui/text-field.tsx";
import { CopyButton, copyText } from "./CopyButton.tsx";
import { t } from "./messages.ts";

interface SecretOnceProps {
  title: string;
  field: string;
  secret: string;
  /** Why it has to be kept now. */
  note: string;
  onClose: () => void;
  /** How it is used. */
  children: ReactNode;
}

export function SecretOnce({ title, field, secret, note, onClose, children }: SecretOnceProps) {
  const announce = useAnnounce();
  const [isCopied, setIsCopied] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const value = useRef<HTMLInputElement>(null);
  const close = () => (isCopied ? onClose() : setIsAsking(true));
  const copyAndClose = async () => {
    if (!(await copyText(secret))) return;
    announce(t.copied);
    onClose();
  };
  const noteCopy = () => {
    setIsCopied(true);
    setIsAsking(false);
  };
  return (
    <Dialog
      open
      wide
      initialFocus={value}
      onOpenChange={close}
      title={title}
      description={note}
      footer={
        isAsking ? (
          <>
            <p role="alert" className="flex flex-1 items-center text-warn">
              {t.secret.notCopied}
            </p>
            <Button variant="danger" onClick={onClose}>
              {t.secret.closeAnyway}
            </Button>
            <Button variant="primary" onClick={() => void copyAndClose()}>
              {t.secret.copyAndClose}
            </Button>
          </>
        ) : (
          <Button variant={isCopied ? "primary" : "secondary"} onClick={close}>
            {t.done}
          </Button>
        )
      }
    >
      <div className="flex gap-2 pt-1">
        <input
          ref={value}
          readOnly
          aria-label={field}
          value={secret}
          onFocus={(event) => event.target.select()}
          onCopy={noteCopy}
          className={`${FIELD_CLASS} h-8 min-w-0 flex-1 font-mono pointer-coarse:h-11`}
        />
        <CopyButton variant="primary" text={secret} what={field} onCopied={noteCopy} />
      </div>
      {children}
    </Dialog>
  );
}

/** A part under the secret. */
export function SecretPart({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <section className="mt-4">
      <h3 className="mb-1 font-medium">{title}</h3>
      {text !== undefined && <p className="mb-2 text-label text-fg-3">{text}</p>}
      {children}
    </section>
  );
}

export const Failure = ({ text }: { text: string }) => (
  <Callout tone="bad" alert>
    {text}
  </Callout>
);
