/**
 * Markdown as blocks that can be drawn and remembered one by one. While text streams, only its open end is read again: a block
 * with two blocks behind it cannot change any more. A settled text is read once, as a whole.
 */
import { Lexer, type MarkedToken, type Token } from "marked";

export interface Block {
  /** Its place among the blocks: stable while text is only appended. */
  key: number;
  token: Token;
}

type Complete = (text: string) => string;
let complete: Complete | null = null;

/** Half a marker at the open end is completed, so that it does not flicker. Loaded with the first streamed text. */
export async function loadTailCompletion(): Promise<void> {
  if (complete !== null) return;
  const { default: remend } = await import("remend");
  complete = (text) => remend(text, { linkMode: "text-only", images: false, htmlTags: false, katex: false });
}

const lex = (text: string): Token[] => new Lexer({ gfm: true }).lex(text);
const isShown = (token: Token) => token.type !== "space" && token.type !== "def";
const toBlocks = (tokens: readonly Token[], firstKey = 0): Block[] =>
  tokens.filter(isShown).map((token, index) => ({ key: firstKey + index, token }));

export const readBlocks = (text: string): Block[] => toBlocks(lex(text.replaceAll("\r\n", "\n")));

/** Tokens behind which no block may still change. */
const OPEN_BLOCKS = 2;

/** Reads a growing text. Text that is not a continuation is read from its beginning. */
export function createLiveReader(): (text: string) => Block[] {
  let settledText = "";
  let settled: Block[] = [];
  return (raw) => {
    const text = raw.replaceAll("\r\n", "\n");
    if (!text.startsWith(settledText)) {
      settledText = "";
      settled = [];
    }
    const open = text.slice(settledText.length);
    const tokens = lex(open);
    const split = splitAt(tokens);
    const done = tokens.slice(0, split);
    const doneText = done.map((token) => token.raw).join("");
    // A lexer that changed the source cannot be resumed behind it.
    if (done.length > 0 && open.startsWith(doneText)) {
      settled = [...settled, ...toBlocks(done, settled.length)];
      settledText += doneText;
    }
    const rest = text.slice(settledText.length);
    return [...settled, ...toBlocks(lex(complete?.(rest) ?? rest), settled.length)];
  };
}

function splitAt(tokens: readonly Token[]): number {
  let open = 0;
  for (let index = tokens.length - 1; index >= 0; index--) {
    const token = tokens[index];
    if (token !== undefined && isShown(token)) open++;
    if (open === OPEN_BLOCKS) return index;
  }
  return 0;
}

const KNOWN = new Set([
  "blockquote",
  "br",
  "checkbox",
  "code",
  "codespan",
  "def",
  "del",
  "em",
  "escape",
  "heading",
  "hr",
  "html",
  "image",
  "link",
  "list",
  "list_item",
  "paragraph",
  "space",
  "strong",
  "table",
  "text",
]);
export const isMarkedToken = (token: Token): token is MarkedToken => KNOWN.has(token.type);

const SAFE_PROTOCOLS = new Set(["http:", "https:", "mailto:"]);

/** The address if it may be followed; null shows the text alone. Relative addresses have no meaning here. */
export function safeHref(href: string): string | null {
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  return SAFE_PROTOCOLS.has(url.protocol) ? url.href : null;
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
/** The lexer may hand text back escaped for HTML; there is no HTML here. */
export const unescapeText = (text: string): string => text.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
