import { useId, useState, type FormEvent } from "react";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea, TextField } from "../ui/text-field.tsx";
import { toast } from "../ui/toast.ts";
import { EMPTY_MCP, mcpRequest, type McpFields, type McpProblems } from "./mcp-form.ts";
import { t } from "./messages.ts";
import { useMcpActions } from "./use-settings.ts";

const QUIET = { autoCapitalize: "off", autoCorrect: "off", autoComplete: "off", spellCheck: false } as const;
const KINDS = ["http", "stdio"] as const;

export function McpDialog({ onClose }: { onClose: () => void }) {
  const formId = useId();
  const [fields, setFields] = useState<McpFields>(EMPTY_MCP);
  const [problems, setProblems] = useState<McpProblems>({});
  const { add } = useMcpActions();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const request = mcpRequest(fields);
    setProblems(request.ok ? {} : request.problems);
    if (!request.ok || add.isPending) return;
    add.mutate(request.server, {
      onSuccess: ({ name }) => {
        toast(t.mcp.added(name));
        onClose();
      },
    });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t.mcp.addTitle}
      footer={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={formId} variant="primary" disabled={add.isPending}>
            {add.isPending ? t.mcp.adding : t.mcp.add}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-3">
        <Choice
          inline
          label={t.mcp.kind}
          value={fields.transport}
          onChange={(transport) => setFields({ ...fields, transport })}
          options={KINDS.map((kind) => ({ value: kind, label: t.mcp.kinds[kind] }))}
        />
        <p className="-mt-2 text-label text-fg-3">{t.mcp.kindHints[fields.transport]}</p>
        <McpInputs fields={fields} problems={problems} change={(patch) => setFields({ ...fields, ...patch })} />
        {add.isError && (
          <Callout tone="bad" alert>
            {messageOf(add.error)}
          </Callout>
        )}
      </form>
    </Dialog>
  );
}

function McpInputs({
  fields,
  problems,
  change,
}: {
  fields: McpFields;
  problems: McpProblems;
  change: (patch: Partial<McpFields>) => void;
}) {
  return (
    <>
      <TextField
        {...QUIET}
        label={t.mcp.name}
        hint={t.mcp.nameHint}
        value={fields.name}
        error={problems.name}
        maxLength={64}
        onChange={(event) => change({ name: event.target.value })}
      />
      {fields.transport === "http" ? (
        <>
          <TextField
            {...QUIET}
            label={t.mcp.url}
            inputMode="url"
            placeholder="https://"
            value={fields.url}
            error={problems.url}
            maxLength={2_000}
            onChange={(event) => change({ url: event.target.value })}
          />
          <TextArea
            {...QUIET}
            rows={3}
            label={t.mcp.headers}
            hint={t.mcp.headersHint}
            value={fields.headers}
            error={problems.headers}
            onChange={(event) => change({ headers: event.target.value })}
          />
        </>
      ) : (
        <>
          <TextField
            {...QUIET}
            label={t.mcp.command}
            value={fields.command}
            error={problems.command}
            maxLength={1_000}
            onChange={(event) => change({ command: event.target.value })}
          />
          <TextArea
            {...QUIET}
            rows={2}
            label={t.mcp.args}
            hint={t.mcp.argsHint}
            value={fields.args}
            onChange={(event) => change({ args: event.target.value })}
          />
          <TextArea
            {...QUIET}
            rows={3}
            label={t.mcp.env}
            hint={t.mcp.envHint}
            value={fields.env}
            error={problems.env}
            onChange={(event) => change({ env: event.target.value })}
          />
        </>
      )}
    </>
  );
}
