/**
 * Git over HTTPS for a session: its own repository with the owner's stored login, which is added here and seen by that host
 * alone; pushes only to the session's branches, judged by their command list before anything is sent. The list is all that
 * is held in memory; packs pass as streams. Other repositories are ordinary hosts for reading, and closed for pushing.
 */
import type { GitAccess } from "../session/api.ts";
import { refuse, unreachableText } from "./answers.ts";
import {
  judgePush,
  MAX_COMMAND_LIST_BYTES,
  pushReport,
  readPushList,
  repositoryAddress,
  type GitRequest,
  type PushList,
} from "./git-policy.ts";
import { gitAnswerHeaders, gitRequestHeaders } from "./headers.ts";
import { readSection } from "./pkt-line.ts";
import type { EgressCaller, EgressPorts } from "./ports.ts";
import { passOn, send } from "./send.ts";

/** A refused push is read this far before it is answered: git shows an answer only once it has sent what it had. */
const MAX_DISCARDED_BYTES = 32 * 1_048_576;

/** Null: someone else's repository, to be read under the session's network setting. */
export async function relayGit(request: Request, git: GitRequest, caller: EgressCaller, ports: EgressPorts): Promise<Response | null> {
  const access = await ports.session.gitAccess({ incarnation: caller.incarnation, url: git.repository });
  if (access !== null && repositoryAddress(access.repositoryUrl) === git.repository) return relayOwn(request, git, access, ports);
  if (git.service === "git-upload-pack") return null;
  ports.log.info("push_refused", { sessionId: caller.sessionId, why: "other_repository" });
  return refuse("Pushes go only to this session's own repository.");
}

/** The session's own repository: the caller has shown that this is it. */
export async function relayOwn(request: Request, git: GitRequest, access: GitAccess, ports: EgressPorts): Promise<Response> {
  let body = request.body;
  if (git.service === "git-receive-pack" && git.step === "run") {
    const checked = await checkPush(request, access.branchPattern);
    if (checked instanceof Response) return checked;
    body = checked;
  }
  const login = await ports.gitLogin(access.ownerId, git.host);
  const answer = await send(request, git.host, gitRequestHeaders(request.headers, login), body, ports);
  if (answer === null) return refuse(unreachableText(git.host), 502);
  if (answer.status === 401 || (answer.status === 403 && git.step === "advertise")) {
    await answer.body?.cancel();
    return refuse(
      login === null
        ? `${git.host} asks for a login. The owner can store one for this host in Settings, Git.`
        : `${git.host} refused the stored login for this repository. The owner can replace it in Settings, Git.`,
    );
  }
  return passOn(answer, gitAnswerHeaders(answer.headers));
}

/** The push's body, to be sent on whole, or the answer that refuses it. */
async function checkPush(request: Request, branchPattern: string): Promise<ReadableStream<Uint8Array> | Response> {
  if (!["", "identity"].includes(request.headers.get("content-encoding") ?? "")) return refuse("Send the push uncompressed.");
  if (request.body === null) return refuse("The push is empty.");
  const reader = request.body.getReader();
  const section = await readSection(reader, MAX_COMMAND_LIST_BYTES);
  const list = section.ok ? readPushList(section.lines) : null;
  if (!section.ok || list === null) {
    await discard(reader);
    const isLong = !section.ok && section.problem === "too_large";
    return refuse(isLong ? "The push names too many branches at once." : "This kind of push is not accepted here; push a branch unsigned.");
  }
  const verdict = judgePush(list, branchPattern);
  if (!verdict.ok) {
    await discard(reader);
    return refusedPush(list, verdict.reason);
  }
  // git asks with an empty list whether it may push at all, before it sends a long one.
  if (list.commands.length === 0) {
    await discard(reader);
    return new Response(section.raw).body ?? refuse("The push is empty.");
  }
  return resume([section.raw, section.beyond], reader);
}

function refusedPush(list: PushList, reason: string): Response {
  const report = pushReport(list, reason);
  if (report === null) return refuse(`Push refused: ${reason}.`);
  return new Response(report, { headers: { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" } });
}

/** What was read already, then the rest as it comes: as fast as it is taken. */
function resume(read: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  const waiting = read.filter((chunk) => chunk.byteLength > 0);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = waiting.shift() ?? (await reader.read()).value;
        if (next === undefined) controller.close();
        else controller.enqueue(next);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let bytes = 0;
  try {
    while (bytes < MAX_DISCARDED_BYTES) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client has gone: nobody waits for the answer.
  }
}
