import { Link } from "wouter";
import { ApiError, messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { shell } from "../shell/shell-state.ts";
import { Callout } from "../ui/callout.tsx";
import { t } from "./messages.ts";

/** Why the session did not start, and that nothing typed is gone. */
export function StartProblem({ error }: { error: Error }) {
  const needsKey = error instanceof ApiError && (error.code === "key_missing" || error.code === "demo_off");
  return (
    <Callout tone="bad" alert>
      <p className="font-medium">{t.failed}</p>
      <p>
        {messageOf(error)} {t.kept}
      </p>
      {error instanceof ApiError && error.detail !== undefined && (
        <p className="mt-1 font-mono text-mono break-words text-fg-2">{error.detail}</p>
      )}
      {needsKey && (
        <Link
          href={paths.settings("api-key")}
          onClick={() => shell.setOverlay(null)}
          className="mt-1 inline-block py-1 font-medium text-accent underline underline-offset-2"
        >
          {t.keyLink}
        </Link>
      )}
    </Callout>
  );
}
