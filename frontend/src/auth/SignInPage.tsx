import { useActionState, useState } from "react";
import { Redirect, useLocation, useSearch } from "wouter";
import { QueryProvider } from "../query-provider.tsx";
import { nextPath } from "../routes.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/text-field.tsx";
import { BrandMark } from "./Brand.tsx";
import { t } from "./messages.ts";
import { checkCredentials, sendCredentials, signInProblem, type FieldProblems } from "./sign-in.ts";
import { useConfig, useMe } from "./use-me.ts";

interface FormState {
  fields: FieldProblems;
  problem: string | null;
  name: string;
  email: string;
}

const EMPTY: FormState = { fields: {}, problem: null, name: "", email: "" };

const field = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
};

export default function SignInPage() {
  return (
    <QueryProvider>
      <SignIn />
    </QueryProvider>
  );
}

function SignIn() {
  const config = useConfig();
  const me = useMe();
  const search = useSearch();
  const [wantsAccount, setWantsAccount] = useState(false);
  const mode = wantsAccount && config.data?.signUp !== false ? "up" : "in";
  usePageTitle(mode === "in" ? t.signIn : t.signUp);
  if (me.data) return <Redirect to={nextPath(search)} replace />;
  return (
    <main className="flex h-full flex-col items-center overflow-y-auto px-4 py-[14vh]">
      <div className="w-full max-w-[340px]">
        <div className="mb-6 flex items-center gap-2">
          <BrandMark />
          <span className="font-semibold">{t.brand}</span>
        </div>
        <h1 className="text-head font-semibold">{mode === "in" ? t.signInTitle : t.signUpTitle}</h1>
        <p className="mt-1 mb-5 text-fg-2">{t.tagline}</p>
        {new URLSearchParams(search).get("account") === "deleted" && (
          <p className="mb-4 rounded-control bg-sunken px-3 py-2">{t.accountDeleted}</p>
        )}
        <CredentialsForm key={mode} mode={mode} />
        {config.data?.signUp === true && (
          <Button variant="ghost" className="mt-3 w-full" onClick={() => setWantsAccount(mode === "in")}>
            {mode === "in" ? t.toSignUp : t.toSignIn}
          </Button>
        )}
      </div>
    </main>
  );
}

function CredentialsForm({ mode }: { mode: "in" | "up" }) {
  const [, navigate] = useLocation();
  const search = useSearch();
  const [state, submit, isPending] = useActionState(async (_before: FormState, form: FormData): Promise<FormState> => {
    const credentials = { name: field(form, "name"), email: field(form, "email"), password: field(form, "password") };
    const kept = { name: credentials.name, email: credentials.email };
    const fields = checkCredentials(mode, credentials);
    if (Object.keys(fields).length > 0) return { ...kept, fields, problem: null };
    try {
      await sendCredentials(mode, credentials);
    } catch (error) {
      return { ...kept, fields: {}, problem: signInProblem(error) };
    }
    navigate(nextPath(search), { replace: true });
    return EMPTY;
  }, EMPTY);
  return (
    <form action={submit} noValidate className="flex flex-col gap-3">
      {mode === "up" && (
        <TextField label={t.name} name="name" autoComplete="name" defaultValue={state.name} error={state.fields.name} maxLength={200} />
      )}
      <TextField
        label={t.email}
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        defaultValue={state.email}
        error={state.fields.email}
      />
      <TextField
        label={t.password}
        name="password"
        type="password"
        autoComplete={mode === "in" ? "current-password" : "new-password"}
        error={state.fields.password}
        hint={mode === "up" ? t.passwordHint : undefined}
      />
      {state.problem !== null && (
        <p role="alert" className="rounded-control bg-bad-soft px-3 py-2 text-bad">
          {state.problem}
        </p>
      )}
      <Button type="submit" variant="primary" disabled={isPending} className="mt-1 w-full">
        {isPending ? t.working : mode === "in" ? t.signIn : t.signUp}
      </Button>
    </form>
  );
}
