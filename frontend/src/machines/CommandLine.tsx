/** A command to run elsewhere: selectable, and copied by one press. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { useAnnounce } from "../ui/announcer.tsx";
import { IconButton } from "../ui/button.tsx";
import { toast } from "../ui/toast.ts";
import { t } from "./messages.ts";

export function CommandLine({ command }: { command: string }) {
  const announce = useAnnounce();
  const [isCopied, setIsCopied] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(command).then(
      () => {
        setIsCopied(true);
        announce(t.copied);
      },
      () => toast(t.copyFailed),
    );
  };
  return (
    <span className="flex max-w-full items-center gap-1 rounded-control border border-line bg-sunken py-0.5 pr-0.5 pl-2.5">
      <code className="min-w-0 flex-1 py-1 font-mono text-mono [overflow-wrap:anywhere] text-fg select-all">{command}</code>
      <IconButton size="sm" label={isCopied ? t.copied : t.copy(command)} onClick={copy}>
        {isCopied ? <Check /> : <Copy />}
      </IconButton>
    </span>
  );
}
