import { Component, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { t } from "./messages.ts";

interface PanelBoundaryProps {
  /** What stopped, as the screen calls it. */
  name: string;
  children: ReactNode;
}

/** Keeps a crash inside one panel: says which, and offers to load it again. */
export class PanelBoundary extends Component<PanelBoundaryProps, { problem: string | null }> {
  override state: { problem: string | null } = { problem: null };

  static getDerivedStateFromError(error: unknown): { problem: string } {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    if (problem === null) return this.props.children;
    return (
      <div role="alert" className="flex h-full min-h-32 flex-col items-center justify-center gap-3 p-6 text-center">
        <p className="text-body font-medium">{t.panelStopped(this.props.name)}</p>
        <Button onClick={() => this.setState({ problem: null })}>{t.panelReload}</Button>
        <details className="max-w-full text-label text-fg-3">
          <summary>{t.details}</summary>
          <p className="mt-1 font-mono break-words">{problem}</p>
        </details>
      </div>
    );
  }
}
