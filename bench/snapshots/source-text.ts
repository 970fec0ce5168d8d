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

const hex = (random: Random, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");

/**
 * A record of a conversation as Claude Code keeps it: an edit that an agent makes, or what came of it, with the file's text
 * once as the agent reads it and once as the tool gave it; 1 to 9 KB.
 */
export function transcriptLine(random: Random, step: number): string {
  const text = lines(random, 6 + Math.floor(random() ** 2 * 60));
  const id = `toolu_${hex(random, 24)}`;
  const file = `/workspace/src/${word(random)}/${word(random)}.ts`;
  const edit = { file_path: file, old_string: line(random), new_string: `${line(random)}\n${line(random)}` };
  const assistant = {
    message: {
      model: "claude-sonnet-4-5-20250929",
      id: `msg_${hex(random, 24)}`,
      type: "message",
      role: "assistant",
      content: [
        { type: "text", text: `${line(random)} ${line(random)}` },
        { type: "tool_use", id, name: "Edit", input: edit },
      ],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: 4,
        cache_creation_input_tokens: step * 3,
        cache_read_input_tokens: step * 97,
        output_tokens: step % 900,
        service_tier: "standard",
      },
    },
    requestId: `req_${hex(random, 24)}`,
    type: "assistant",
  };
  const user = {
    type: "user",
    message: { role: "user", content: [{ tool_use_id: id, type: "tool_result", content: `The file ${file} has been updated:\n${text}` }] },
    toolUseResult: {
      filePath: file,
      oldString: edit.old_string,
      newString: edit.new_string,
      originalFile: text,
      userModified: false,
      replaceAll: false,
    },
  };
  const uuid = () => [8, 4, 4, 4, 12].map((digits) => hex(random, digits)).join("-");
  const common = {
    parentUuid: uuid(),
    isSidechain: false,
    userType: "external",
    cwd: "/workspace",
    sessionId: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    version: "2.1.197",
    gitBranch: "main",
  };
  const at = { uuid: uuid(), timestamp: new Date(1_790_000_000_000 + step * 977).toISOString() };
  return `${JSON.stringify({ ...common, ...(step % 2 === 0 ? assistant : user), ...at })}\n`;
}
