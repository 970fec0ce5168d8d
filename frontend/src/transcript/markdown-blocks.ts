/**
 * Markdown as blocks that can be drawn and remembered one by one: while text streams, only the last block changes. Pure.
 * Settled blocks keep their source as key, so that an unchanged block is not parsed or drawn again.
 */
import { Lexer, type MarkedToken, type Token } from "marked";
import remend from "remend";

export interface Block {
  key: string;
  token: Token;
}

/** The open end of a streamed text is completed, so that half a marker does not flicker. */
export const completeTail = (text: string): string => remend(text, { linkMode: "text-only", images: false, htmlTags: false, katex: false });

export function toBlocks(text: string, isLive: boolean): Block[] {
  const tokens = new Lexer({ gfm: true }).lex(isLive ? completeTail(text) : text);
  const seen = new Map<string, number>();
  const blocks: Block[] = [];
  for (const token of tokens) {
    if (token.type === "space" || token.type === "def") continue;
    const repetition = seen.get(token.raw) ?? 0;
    seen.set(token.raw, repetition + 1);
    blocks.push({ key: `${token.raw}\u0000${repetition}`, token });
  }
  return blocks;
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
