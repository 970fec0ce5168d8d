/**
 * Markdown as React elements, made from the lexer's tokens. There is no HTML path at all: raw HTML is shown as text, images
 * become links, and links are followed only over http, https and mailto.
 */
import type { Token, Tokens } from "marked";
import { Fragment, memo, useEffect, useMemo, useState, type ReactNode } from "react";
import { CodeBlock } from "./CodeBlock.tsx";
import { createLiveReader, isMarkedToken, loadTailCompletion, readBlocks, safeHref, unescapeText, type Block } from "./markdown-blocks.ts";
import { ScrollRegion } from "./ScrollRegion.tsx";
import "./markdown.css";
import "./output.css";

export interface MarkdownProps {
  text: string;
  /** The text still grows: its open end is completed, and the caret shown. */
  live?: boolean;
}

export const Markdown = memo(function Markdown({ text, live = false }: MarkdownProps) {
  return (
    <div className="markdown" data-live={live || undefined}>
      {live ? <LiveBlocks text={text} /> : <SettledBlocks text={text} />}
    </div>
  );
});

function SettledBlocks({ text }: { text: string }) {
  const blocks = useMemo(() => readBlocks(text), [text]);
  return blocks.map((block) => <BlockView key={block.key} block={block} />);
}

function LiveBlocks({ text }: { text: string }) {
  const [read] = useState(createLiveReader);
  useEffect(() => void loadTailCompletion(), []);
  const blocks = useMemo(() => read(text), [read, text]);
  return blocks.map((block) => <BlockView key={block.key} block={block} />);
}

/** A block whose source is the same is not drawn again while the next one grows. */
const BlockView = memo(
  function BlockView({ block }: { block: Block }) {
    return <BlockToken token={block.token} />;
  },
  (before, after) => before.block.token.raw === after.block.token.raw && before.block.token.type === after.block.token.type,
);

function BlockToken({ token }: { token: Token }): ReactNode {
  if (!isMarkedToken(token)) return <p>{token.raw}</p>;
  switch (token.type) {
    case "heading":
      return <Heading token={token} />;
    case "paragraph":
      return <p>{inline(token.tokens)}</p>;
    case "text":
      return token.tokens === undefined ? unescapeText(token.text) : inline(token.tokens);
    case "code":
      return <CodeBlock code={token.text} language={token.lang} />;
    case "blockquote":
      return <blockquote>{blocksOf(token.tokens)}</blockquote>;
    case "list":
      return <List token={token} />;
    case "table":
      return <Table token={token} />;
    case "hr":
      return <hr />;
    case "html":
      return <p className="whitespace-pre-wrap">{token.text}</p>;
    case "space":
    case "def":
      return null;
    default:
      return inlineToken(token);
  }
}

const blocksOf = (tokens: readonly Token[]): ReactNode[] => keyed(tokens).map(([key, token]) => <BlockToken key={key} token={token} />);

/** Position is the identity of a token inside its block: a block is replaced as a whole. */
const keyed = (tokens: readonly Token[]): [string, Token][] => tokens.map((token, index) => [`${index}`, token]);

/** The session is h1 and a turn h2: an answer's own headings stand below them. */
const HEADINGS: Record<number, "h3" | "h4" | "h5" | "h6"> = { 1: "h3", 2: "h4", 3: "h5", 4: "h6" };

function Heading({ token }: { token: Tokens.Heading }) {
  const Tag = HEADINGS[token.depth] ?? "h6";
  return (
    <Tag className="markdown-heading" data-depth={token.depth}>
      {inline(token.tokens)}
    </Tag>
  );
}

function List({ token }: { token: Tokens.List }) {
  const items = token.items.map((item, index) => (
    <li key={`${index}`} data-task={item.task || undefined}>
      {item.task && (
        <input type="checkbox" checked={item.checked === true} readOnly disabled aria-label={item.checked === true ? "done" : "open"} />
      )}
      {blocksOf(item.tokens.filter((inner) => inner.type !== "checkbox"))}
    </li>
  ));
  return token.ordered ? <ol start={token.start === "" ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ token }: { token: Tokens.Table }) {
  const cell = (tokens: Token[], column: number) => ({ style: { textAlign: token.align[column] ?? "left" }, children: inline(tokens) });
  return (
    <ScrollRegion className="markdown-table" label={token.header.map((head) => head.text).join(", ")}>
      <table>
        <thead>
          <tr>
            {token.header.map((head, column) => (
              <th key={`${column}`} scope="col" {...cell(head.tokens, column)} />
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, line) => (
            <tr key={`${line}`}>
              {row.map((entry, column) => (
                <td key={`${column}`} {...cell(entry.tokens, column)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

const inline = (tokens: readonly Token[]): ReactNode =>
  keyed(tokens).map(([key, token]) => <Fragment key={key}>{inlineToken(token)}</Fragment>);

function inlineToken(token: Token): ReactNode {
  if (!isMarkedToken(token)) return token.raw;
  switch (token.type) {
    case "text":
      return token.tokens === undefined ? unescapeText(token.text) : inline(token.tokens);
    case "escape":
      return unescapeText(token.text);
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "del":
      return <del>{inline(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return <SafeLink href={token.href}>{inline(token.tokens)}</SafeLink>;
    case "image":
      return <SafeLink href={token.href}>{token.text === "" ? token.href : token.text}</SafeLink>;
    default:
      return "text" in token ? token.text : token.raw;
  }
}

function SafeLink({ href, children }: { href: string; children: ReactNode }) {
  const target = safeHref(href);
  if (target === null) return <>{children}</>;
  return (
    <a href={target} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
