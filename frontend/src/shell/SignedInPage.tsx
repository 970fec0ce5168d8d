import type { ReactNode } from "react";
import { RequireUser } from "../auth/RequireUser.tsx";
import { QueryProvider } from "../query-provider.tsx";
import { AppShell } from "./AppShell.tsx";

/** The same frame around each page of a signed-in person, so that it stays mounted when the page changes. */
export default function SignedInPage({ children }: { children: ReactNode }) {
  return (
    <QueryProvider>
      <RequireUser>
        <AppShell>{children}</AppShell>
      </RequireUser>
    </QueryProvider>
  );
}
