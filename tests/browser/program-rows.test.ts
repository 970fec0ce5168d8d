/** What programs did in a session, as a person sees it: who asked, what a policy answered, and what was run. */
import { describe, expect, it } from "vitest";
import { PHONE } from "../support/node/browser.ts";
import { newId } from "../support/node/ids.ts";
import { expectAccessible, open, PHONES, Programs, setUpScreens } from "./scripted-programs.ts";
import { MARA, ScriptedSession, sessionShown } from "./scripted-session.ts";

setUpScreens();

describe("in a session", () => {
  const CI = { userId: MARA.userId, name: "Mara (CI on the relay repository)" };

  const begun = () => {
    const session = new ScriptedSession();
    session.host("ready");
    const [promptId, turnId, approvalId] = [newId("prompt"), newId("turn"), newId("approval")];
    session.log({ type: "prompt_queued", promptId, text: "Run the tests and fix what fails.", delivery: "queue", author: CI });
    session.log({ type: "turn_started", turnId, promptId }, { turnId });
    const subject = "git push --force";
    const request = {
      kind: "permission" as const,
      approvalId,
      toolId: "t1",
      tool: "Bash",
      subject,
      reason: "",
      input: { command: subject },
    };
    session.log({ type: "approval_requested", request }, { turnId });
    session.log(
      {
        type: "approval_answered",
        approvalId,
        answer: { decision: "deny", message: "The program that asked allows edits of files alone." },
        author: CI,
      },
      { turnId },
    );
    const executionId = newId("execution");
    const say = (stream: "stdout" | "stderr", offset: number, text: string) =>
      session.tell({ type: "execution_output", executionId, stream, offset, text });
    const start = () =>
      session.log({ type: "execution_started", executionId, what: "npm test -- reconnect\nnpm run lint", language: "bash", author: CI });
    const end = (exitCode: number, stdout: string) =>
      session.log({
        type: "execution_ended",
        executionId,
        status: exitCode === 0 ? "completed" : "failed",
        exitCode,
        signal: null,
        durationMs: 6_200,
        stdout,
        stderr: exitCode === 0 ? "" : "npm error code 1\n",
        omittedBytes: 0,
        filesChanged: [{ path: "test/report.json", status: "modified", additions: 12, deletions: 3 }],
      });
    return { session, start, say, end };
  };

  it("names the program that asked, answered and ran, and shows output as it comes", async () => {
    const { session, start, say, end } = begun();
    const { page } = await open(new Programs(), { path: `/s/${session.sessionId}` }, session);
    await sessionShown(page);
    await page.getByText(CI.name, { exact: true }).waitFor();
    await page.getByText(`Denied by ${CI.name}`).waitFor();
    start();
    await page.getByRole("button", { name: /^Bash npm test/ }).waitFor();
    say("stdout", 0, "\u001B[32m✓\u001B[39m resumes after a gap\n");
    await page.getByText("resumes after a gap").waitFor();
    say("stdout", 0, "\u001B[32m✓\u001B[39m resumes after a gap\n\u001B[31m✗\u001B[39m keeps order\n");
    await page.getByText("keeps order").waitFor();
    expect(await page.getByText("resumes after a gap").count()).toBe(1);
    await expectAccessible(page, "running");
    await page.getByRole("button", { name: "Stop the command" }).click();
    await session.until("stop_execution");
    expect(session.sent("stop_execution")).toMatchObject([{ executionId: session.state.executions[0]?.executionId }]);
    await page.getByRole("button", { name: "Stopping…" }).waitFor();
    end(1, "✓ resumes after a gap\n✗ keeps order\n");
    await page.getByText("exit 1").waitFor();
    await page.getByText("npm error code 1").waitFor();
    await page.getByText("test/report.json").waitFor();
    await expectAccessible(page, "failed");
  });

  it("folds what went well, on a phone too", async () => {
    const { session, start, end } = begun();
    start();
    end(0, "41 tests passed\n");
    const { page } = await open(new Programs(), { path: `/s/${session.sessionId}`, ...PHONES }, session);
    const line = page.getByRole("button", { name: /^Bash npm test/ });
    await line.waitFor();
    expect(await page.getByText("41 tests passed").count()).toBe(0);
    await line.click();
    await page.getByText("41 tests passed").waitFor();
    await page.getByText(`Run by ${CI.name}`, { exact: false }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await expectAccessible(page, "ran-phone");
  });
});
