/** What Claude asked and how it was answered. The answering itself is the dock's. */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import { CircleCheck, CircleX, Clock, ShieldAlert, type LucideIcon } from "lucide-react";
import type { ViewerIdentity } from "../session/store.ts";
import { useViewer } from "../session/use-session.ts";
import { Markdown } from "./Markdown.tsx";
import { t } from "./messages.ts";
import { isBy } from "./is-by.ts";
import type { ApprovalRow } from "./rows.ts";

interface Told {
  Icon: LucideIcon;
  tone: "ok" | "bad" | "warn" | "quiet";
  text: string;
  note: string;
}

function answered(answer: ApprovalAnswer, who: string): Told {
  switch (answer.decision) {
    case "allow_once":
      return { Icon: CircleCheck, tone: "ok", text: t.approval.allowed(who), note: "" };
    case "allow_session":
      return { Icon: CircleCheck, tone: "ok", text: t.approval.allowedHere(who), note: "" };
    case "deny":
      return { Icon: CircleX, tone: "bad", text: t.approval.denied(who), note: answer.message };
    case "answers":
      return { Icon: CircleCheck, tone: "ok", text: t.approval.answered(who), note: "" };
    case "approve_plan":
      return {
        Icon: CircleCheck,
        tone: "ok",
        text: answer.acceptEdits ? t.approval.approvedWithEdits(who) : t.approval.approved(who),
        note: "",
      };
    case "keep_planning":
      return { Icon: Clock, tone: "quiet", text: t.approval.keptPlanning(who), note: answer.message };
  }
}

function subjectOf({ request }: ApprovalRow): string {
  if (request.kind === "permission") return request.subject;
  return request.kind === "plan" ? t.approval.plan : t.approval.question(request.questions.length);
}

function tell(row: ApprovalRow, viewer: ViewerIdentity | null): Told {
  const { outcome } = row;
  if (outcome.type === "open")
    return {
      Icon: ShieldAlert,
      tone: "warn",
      text: row.request.kind === "permission" ? t.approval.openFor("") : t.approval.open,
      note: "",
    };
  if (outcome.type === "expired") return { Icon: CircleX, tone: "bad", text: t.approval.expired, note: "" };
  if (outcome.type === "withdrawn") return { Icon: Clock, tone: "quiet", text: t.approval.withdrawn, note: "" };
  return answered(outcome.answer, isBy(outcome.author, viewer) ? t.approval.youLower : outcome.author.name);
}

export function ApprovalLine({ row }: { row: ApprovalRow }) {
  const viewer = useViewer();
  const { Icon, tone, text, note } = tell(row, viewer);
  const answers =
    row.outcome.type === "answered" && row.outcome.answer.decision === "answers" ? Object.entries(row.outcome.answer.answers) : [];
  return (
    <div className="approval" data-tone={tone}>
      <p className="approval-line">
        <Icon className="tool-icon" aria-hidden="true" />
        <span className="flex-none">{text}</span>
        <span className="tool-argument" title={subjectOf(row)}>
          {subjectOf(row)}
        </span>
      </p>
      {note !== "" && <p className="approval-note">{note}</p>}
      {answers.length > 0 && (
        <dl className="approval-answers">
          {answers.map(([question, answer]) => (
            <div key={question}>
              <dt>{question}</dt>
              <dd>{typeof answer === "string" ? answer : answer.join(", ")}</dd>
            </div>
          ))}
        </dl>
      )}
      {row.request.kind === "plan" && row.outcome.type !== "open" && (
        <div className="approval-plan">
          <Markdown text={row.request.plan} />
        </div>
      )}
    </div>
  );
}
