import "./styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

// After all that the first page needs; never in development, where files change under their names.
if (import.meta.env.PROD) {
  const register = () =>
    void import("./offline/register.ts").then(({ registerServiceWorker }) => registerServiceWorker()).catch(() => undefined);
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
