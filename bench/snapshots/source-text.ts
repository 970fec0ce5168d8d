/** Text that compresses as source does, from a seed: names from a vocabulary in a dozen shapes of statement. */
export type Random = () => number;

/** Mulberry32: the same seed gives the same inputs on every machine. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYLLABLES = "ac tor ban der cor min dex fol gra hel in jec ker lin mat nor ope par que ren sol ter un ver wal xen yon zer".split(" ");
const WORDS = vocabulary(seeded(7), 3_000);

function vocabulary(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => {
    const syllables = Array.from({ length: 1 + Math.floor(random() * 3) }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)] ?? "a");
    return syllables.map((part, n) => (n === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1))).join("");
  });
}

/** Frequent words stand first, as in real text. */
export const word = (random: Random): string => WORDS[Math.floor(random() ** 3 * WORDS.length)] ?? "value";
const number = (random: Random): string => String(Math.floor(random() ** 2 * 10_000));

const SHAPES: ((r: Random) => string)[] = [
  (r) => `  const ${word(r)} = ${word(r)}.${word(r)}(${word(r)}, ${number(r)});`,
  (r) => `  if (${word(r)}.${word(r)} === ${word(r)}) return ${word(r)};`,
  (r) => `  // ${word(r)} ${word(r)} the ${word(r)} before ${word(r)} ${word(r)} is ${word(r)}`,
  (r) => `export function ${word(r)}(${word(r)}: ${word(r)}, ${word(r)}: number): ${word(r)} {`,
  () => "}",
  (r) => `import { ${word(r)}, ${word(r)} } from "./${word(r)}/${word(r)}.ts";`,
  (r) => `  for (const ${word(r)} of ${word(r)}.${word(r)}) ${word(r)}.push({ ${word(r)}: "${word(r)} ${number(r)}", ${word(r)} });`,
  (r) => `  await ${word(r)}(${word(r)} + ${number(r)}, "${word(r)}-${word(r)}");`,
  (r) => `  expect(${word(r)}.${word(r)}).toBe(${number(r)});`,
  () => "",
];

export const line = (random: Random): string => (SHAPES[Math.floor(random() * SHAPES.length)] ?? SHAPES[0])?.(random) ?? "";

export const lines = (random: Random, count: number): string => `${Array.from({ length: count }, () => line(random)).join("\n")}\n`;

/** A record of a conversation: a step with some code in it, 0.5 to 5 KB. */
export function transcriptLine(random: Random, step: number): string {
  const content = lines(random, 10 + Math.floor(random() ** 2 * 90));
  const id = Array.from({ length: 8 }, () =>
    Math.floor(random() * 65_536)
      .toString(16)
      .padStart(4, "0"),
  ).join("");
  const record = { uuid: id, step, type: step % 2 === 0 ? "assistant" : "user", message: { content }, at: 1_790_000_000_000 + step * 977 };
  return `${JSON.stringify(record)}\n`;
}
