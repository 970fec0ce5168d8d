/** Any tree, any edits, any order of saves, losses, retention and wakes: every kept state comes back byte for byte. */
import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { PackHistory } from "./pack-history.ts";
import { applyEdit, editArbitrary, runs, type Edit } from "./random-trees.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

let scratch: string;
let count = 0;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "histories-"));
});
afterAll(() => removeTree(scratch));
const begin = () => PackHistory.begin(path.join(scratch, String((count += 1))));

type Step = { step: "edit"; edits: Edit[] } | { step: "save" | "lose" | "talk" } | { step: "stale" | "drop" | "hydrate"; which: number };

const whichArbitrary = fc.nat({ max: 7 });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ step: fc.constant("edit" as const), edits: fc.array(editArbitrary, { minLength: 1, maxLength: 8 }) }),
  },
  { weight: 4, arbitrary: fc.constant({ step: "save" as const }) },
  fc.constantFrom({ step: "lose" as const }, { step: "talk" as const }),
  fc.record({ step: fc.constantFrom("stale" as const, "drop" as const, "hydrate" as const), which: whichArbitrary }),
);

async function take(history: PackHistory, step: Step, turn: number): Promise<void> {
  if (step.step === "edit") for (const edit of step.edits) await applyEdit(history.workspace, edit);
  if (step.step === "talk") await appendFile(path.join(history.agent, "history"), `turn ${turn}\n`);
  if (step.step === "save") await history.save();
  if (step.step === "lose") history.loseIndex();
  if (step.step === "stale") history.takeOldIndex(step.which);
  if (step.step === "drop") await history.drop(step.which);
  if (step.step === "hydrate") await history.hydrate(step.which);
}

it("[SN4, SN5] brings every kept state back after any history", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 4, maxLength: 24 }), async (steps) => {
      const history = await begin();
      for (const [turn, step] of steps.entries()) await take(history, step, turn);
      await history.save();
      await history.everyStateComesBack();
      // Nothing happened since: there is nothing to store, however the index came about.
      expect(await history.save()).toBe(0);
    }),
    runs(40),
  );
});

it("[SN5] brings every kept state back across compactions, with large packs that stay", { timeout: 600_000 }, async () => {
  const history = await begin();
  for (let turn = 0; turn < 40; turn += 1) {
    await writeFile(path.join(history.workspace, `f${turn % 3}`), noise(100, turn + 1));
    await appendFile(path.join(history.agent, "history"), `turn ${turn}\n`);
    // Above 8 MB a pack is kept for its content when its manifest has long been superseded.
    if (turn === 3 || turn === 20) await writeFile(path.join(history.workspace, `large-${turn}`), randomBytes(8_600_000));
    if (turn === 24) await applyEdit(history.workspace, { do: "remove", name: "large-3" });
    await history.save();
    if (turn % 3 === 2) await history.drop(turn);
    if (turn % 5 === 2) await history.headComesBack();
  }
  await history.everyStateComesBack();
});
