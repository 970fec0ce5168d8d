/**
 * What a failed start means, by the platform's own words: they are all it gives. The phrases are those of the installed
 * SDK and of the runtime below it; an unknown one counts as transient, because a try costs little and hides nothing. Pure.
 */

/**
 * `capacity`: no instance now, ask later. `transient`: something broke on the way. `permanent`: the same again gives the same.
 * `off`: this deployment has no containers at all, whatever its variables say.
 */
export type FailureKind = "capacity" | "transient" | "permanent" | "off";

const CAPACITY = [
  "there is no container instance",
  "maximum number of running container instances exceeded",
  "too many containers per second",
];
const OFF = "containers have not been enabled";
const PERMANENT = [
  "no application that matches",
  "no container application assigned",
  "no such image",
  "did not call start",
  "ran out of memory",
  "too many subprocesses",
];

const CAUSES_DEEP = 8;

export function classifyFailure(error: unknown): FailureKind {
  const words = messagesOf(error);
  if (words.includes(OFF)) return "off";
  if (CAPACITY.some((phrase) => words.includes(phrase))) return "capacity";
  return PERMANENT.some((phrase) => words.includes(phrase)) ? "permanent" : "transient";
}

/** The object was replaced by a deploy in mid-call: another try from the same call reaches the old code again. */
export const isSuperseded = (error: unknown): boolean => /its code was updated|script has been upgraded/.test(messagesOf(error));

/** The messages of an error and of what caused it, in lower case. Errors of another realm are no `Error` here. */
function messagesOf(error: unknown): string {
  const messages: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < CAUSES_DEEP && current !== null && current !== undefined; depth += 1) {
    if (typeof current !== "object") {
      if (typeof current === "string") messages.push(current);
      break;
    }
    if ("message" in current && typeof current.message === "string") messages.push(current.message);
    current = "cause" in current ? current.cause : null;
  }
  return messages.join("\n").toLowerCase();
}
