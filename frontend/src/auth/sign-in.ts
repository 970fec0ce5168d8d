/** Signing in, up and out: the requests, and what is checked before they are sent. */
import { api, ApiError, messageOf } from "../api/client.ts";
import { queryClient } from "../query-client.ts";
import { t } from "./messages.ts";

const MIN_PASSWORD_CHARS = 10;

export interface Credentials {
  name: string;
  email: string;
  password: string;
}

export type FieldProblems = Partial<Record<keyof Credentials, string>>;

/** What is wrong with the fields, in words; empty when they may be sent. */
export function checkCredentials(mode: "in" | "up", fields: Credentials): FieldProblems {
  const problems: FieldProblems = {};
  if (mode === "up" && fields.name.trim() === "") problems.name = t.nameMissing;
  if (fields.email.trim() === "") problems.email = t.emailMissing;
  else if (!/^\S+@\S+$/.test(fields.email.trim())) problems.email = t.emailWrong;
  if (fields.password === "") problems.password = t.passwordMissing;
  else if (mode === "up" && fields.password.length < MIN_PASSWORD_CHARS) problems.password = t.passwordShort;
  return problems;
}

export async function sendCredentials(mode: "in" | "up", { name, email, password }: Credentials): Promise<void> {
  if (mode === "in") await api.post("/api/auth/sign-in/email", { email: email.trim(), password });
  else await api.post("/api/auth/sign-up/email", { name: name.trim(), email: email.trim(), password });
  queryClient.clear();
}

/** The library answers 422 where an account exists already. */
export function signInProblem(error: unknown): string {
  if (error instanceof ApiError && error.status === 422) return t.emailTaken;
  return messageOf(error);
}

/** Ends the sign-in and forgets everything that was kept on this device. */
export async function signOut(): Promise<void> {
  await api.post("/api/auth/sign-out");
  await forgetHere();
}

/** Ends the account: the server removes all of it, this device what it kept. */
export async function deleteAccount(password: string): Promise<void> {
  await api.delete("/api/me", { password });
  await forgetHere();
}

async function forgetHere(): Promise<void> {
  const { clearSessionCaches } = await import("../session/cache.ts");
  await clearSessionCaches();
  queryClient.clear();
}
