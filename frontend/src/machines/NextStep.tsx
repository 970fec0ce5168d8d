/** The next step after a refusal; nothing where none is known. Loaded when something was refused. */
import { CommandLine } from "./CommandLine.tsx";
import { nextStep } from "./next-steps.ts";
import { useProgram } from "./use-program.ts";

export default function NextStep({ code }: { code: string }) {
  const step = nextStep(code);
  const program = useProgram();
  if (step === null) return null;
  return (
    <div className="my-1.5 flex max-w-lg flex-col gap-1.5 text-ui text-fg-2">
      <p>{step.text}</p>
      {step.command !== undefined && <CommandLine command={step.command} />}
      {step.agent !== undefined && <CommandLine command={`npx ${program} ${step.agent}`} />}
    </div>
  );
}
