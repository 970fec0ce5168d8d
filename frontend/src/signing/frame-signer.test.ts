import type { CommandSignature } from "@ai-dev-platform/protocol/signing";
import { signedText } from "@ai-dev-platform/protocol/signed-text";
import type { QueuedPrompt } from "@ai-dev-platform/protocol/state";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { expect, it } from "vitest";
import { stateWith } from "../session/state-fixture.ts";
import { commandOf, toSignAgain } from "./command-of.ts";
import { FrameSigner, type SignCommand } from "./frame-signer.ts";
import { browserName, toBase64Url } from "./key-store.ts";

const MACHINE = `mch_${"0".repeat(26)}`;
const author = { userId: "user-1", name: "Mara" };
const waiting = (promptId: string, over: Partial<QueuedPrompt> = {}): QueuedPrompt => ({
  promptId,
  thread: "main",
  text: promptId,
  delivery: "queue",
  author,
  at: 0,
  ...over,
});
const prompt = (promptId: string): ViewerFrame => ({ type: "prompt", promptId, text: "Fix it", delivery: "queue" });

async function scene(over: { needsSignature?: boolean; hasKey?: boolean; userId?: string | null } = {}) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const sent: ViewerFrame[] = [];
  const asked: (() => void)[] = [];
  const open = { now: true };
  let counter = 0;
  const signCommand: SignCommand = async (to, command) => {
    if (over.hasKey === false) return null;
    counter += 1;
    const unsigned = {
      keyId: "k".repeat(22),
      machineId: to.machineId,
      incarnation: to.incarnation,
      counter,
      nonce: "n".repeat(22),
      issuedAt: 0,
      expiresAt: 1,
    };
    // The first takes longer than the second.
    if (counter === 1) await new Promise<void>((resolve) => asked.push(resolve));
    const bytes = new TextEncoder().encode(signedText(to.sessionId, unsigned, command));
    return { ...unsigned, signature: toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, bytes))) };
  };
  const signer = new FrameSigner({
    sessionId: "ses_1",
    state: () => ({ ...stateWith(), needsSignature: over.needsSignature ?? true, machineId: MACHINE }),
    userId: () => (over.userId === undefined ? "user-1" : over.userId),
    isOpen: () => open.now,
    send: (frame) => sent.push(frame) > 0,
    load: async () => ({ signCommand }),
  });
  const fits = async ({ signature, ...unsigned }: CommandSignature, frame: ViewerFrame): Promise<boolean> => {
    const command = commandOf(frame, []);
    if (command === null) return false;
    const proof = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    return crypto.subtle.verify("Ed25519", publicKey, proof, new TextEncoder().encode(signedText("ses_1", unsigned, command)));
  };
  return { signer, sent, asked, open, fits };
}
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 0));
};

it("[SG1] signs what a machine must find signed, and sends in the order of asking", async () => {
  const { signer, sent, asked, fits } = await scene();
  expect(signer.send(prompt("p1"))).toBe(true);
  expect(signer.send(prompt("p2"))).toBe(true);
  expect(signer.send({ type: "warm" })).toBe(true);
  await until(() => asked.length > 0);
  expect(sent).toEqual([{ type: "warm" }]);
  asked[0]?.();
  await until(() => sent.length === 3);
  const [, one, two] = sent;
  expect([one, two]).toMatchObject([
    { promptId: "p1", signature: { counter: 1 } },
    { promptId: "p2", signature: { counter: 2, machineId: MACHINE } },
  ]);
  for (const frame of [one, two]) {
    if (frame?.type !== "prompt" || frame.signature === undefined) throw new Error("unsigned");
    expect(await fits(frame.signature, frame)).toBe(true);
  }
});

it("sends as it is where no machine asks for a signature, and to nobody without a connection", async () => {
  const plain = await scene({ needsSignature: false });
  plain.signer.send(prompt("p1"));
  expect(plain.sent).toEqual([prompt("p1")]);
  const away = await scene();
  away.open.now = false;
  expect(away.signer.send(prompt("p1"))).toBe(false);
});

it("leaves it to the machine where this browser has no key, and for a visitor by a share", async () => {
  for (const over of [{ hasKey: false }, { userId: null }]) {
    const { signer, sent } = await scene(over);
    signer.send(prompt("p1"));
    await until(() => sent.length === 1);
    expect(sent).toEqual([prompt("p1")]);
  }
});

it("[SG8] signs an edited prompt as the prompt that it becomes, and a person's own waiting ones anew after a move", () => {
  const queue = [
    waiting("p3"),
    waiting("p1"),
    waiting("x", { thread: "tests" }),
    waiting("y", { author: { userId: "user-2", name: "Bo" } }),
  ];
  const edit: ViewerFrame = { type: "prompt_edit", requestId: "req_1", promptId: "x", text: "Other words" };
  expect(commandOf(edit, queue)).toEqual({ kind: "prompt", promptId: "x", thread: "tests", text: "Other words", delivery: "queue" });
  expect(commandOf({ ...edit, promptId: "gone" }, queue)).toBeNull();
  expect(toSignAgain(queue, "p3", "user-1").map(({ promptId }) => promptId)).toEqual(["p3", "p1"]);
  expect(toSignAgain(queue, "gone", "user-1")).toEqual([]);
});

it("names a browser as people do", () => {
  expect(browserName("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0 Safari/537.36")).toBe(
    "Chrome on Linux",
  );
  expect(browserName("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0 Safari/537.36 Edg/137.0")).toBe(
    "Edge on Windows",
  );
  expect(
    browserName("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"),
  ).toBe("Safari on iPhone");
  expect(browserName("")).toBe("Browser");
});
