import { lazy, Suspense, useState } from "react";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";

const DeleteAccountDialog = lazy(() => import("./DeleteAccountDialog.tsx"));

export function DeleteAccount({ email }: { email: string }) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <section aria-label={t.account.remove} className="border-t border-line pt-4">
      <h3 className="mb-1 font-medium">{t.account.remove}</h3>
      <p className="mb-3 text-fg-2">{t.account.removeText}</p>
      <Button variant="danger" onClick={() => setIsAsking(true)}>
        {t.account.removeOpen}
      </Button>
      <Suspense fallback={null}>{isAsking && <DeleteAccountDialog email={email} onClose={() => setIsAsking(false)} />}</Suspense>
    </section>
  );
}
