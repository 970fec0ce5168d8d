/** One line for each figure: ours, the peer, their ratio, the aim, and whether it was met. */
import { median } from "../support/figures.ts";
import type { Input } from "./inputs.ts";

export interface Aim {
  /** Of ours to the peer, or of the value itself where there is no peer. */
  atMost?: number;
  atLeast?: number;
}

/** An aim for projects of 50 MB and more: with less, a store far away answers too late for a difference. */
export const forMuch = (input: Input, aim: Aim): Aim => (input.name === "git checkout" ? aim : {});

const missed: string[] = [];

const isMet = (value: number, aim: Aim): boolean => value <= (aim.atMost ?? Infinity) && value >= (aim.atLeast ?? -Infinity);

function verdict(name: string, value: number, aim: Aim): string {
  if (aim.atMost === undefined && aim.atLeast === undefined) return "";
  const isGood = isMet(value, aim);
  if (!isGood) missed.push(`${topic}: ${name}`);
  const bound = aim.atMost === undefined ? `at least ${aim.atLeast}` : `at most ${aim.atMost}`;
  return `  aim ${bound}: ${isGood ? "met" : "NOT MET"}`;
}

const shown = (value: number, unit: string): string => `${value.toFixed(value < 10 ? 3 : value < 1_000 ? 1 : 0)} ${unit}`;

/** Medians of both, and ours divided by the peer's. */
export function compare(
  name: string,
  ours: readonly number[],
  peer: { name: string; values: readonly number[] },
  unit: string,
  aim: Aim = {},
): void {
  const [a, b] = [median(ours), median(peer.values)];
  console.log(
    `${name.padEnd(46)} ours ${shown(a, unit).padStart(11)}   ${peer.name} ${shown(b, unit).padStart(11)}   ratio ${(a / b).toFixed(3)}${verdict(name, a / b, aim)}`,
  );
}

/** How many times sooner ours is there. */
export function compareSpeed(
  name: string,
  oursMs: readonly number[],
  peer: { name: string; values: readonly number[] },
  aim: Aim = {},
): void {
  const [a, b] = [median(oursMs), median(peer.values)];
  console.log(
    `${name.padEnd(46)} ours ${shown(a, "ms").padStart(11)}   ${peer.name} ${shown(b, "ms").padStart(11)}   speed ${(b / a).toFixed(2)}×${verdict(name, b / a, aim)}`,
  );
}

export const value = (name: string, values: readonly number[], unit: string, aim: Aim = {}): void =>
  console.log(`${name.padEnd(46)} ours ${shown(median(values), unit).padStart(11)}${verdict(name, median(values), aim)}`);

let topic = "";
export const heading = (text: string): void => {
  topic = text.split(":")[0] ?? "";
  console.log(`\n${text}`);
};

export function summary(): void {
  console.log(missed.length === 0 ? "\nAll aims are met." : `\nNot met: ${missed.join(" · ")}`);
}
