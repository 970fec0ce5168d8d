/**
 * The text of one turn's main conversation, in the log's order and each piece once (SPEC CA7). PURE. Owns which streamed
 * block is being shown; a later block waits until the one before it is finished or dropped, so that nothing is out of order.
 */
export type TextPiece = { type: "text"; text: string } | { type: "text_dropped"; chars: number };

const SEPARATOR = "\n\n";

interface StreamedBlock {
  block: string;
  /** Known without a gap from its beginning. */
  text: string;
}

export class TurnText {
  #written: string[] = [];
  /** Blocks that stream, the one that is shown first. */
  #open: StreamedBlock[] = [];
  /** Of the first open block, how much the reader has. */
  #shownChars = 0;
  /** Of the empty line before the block that is shown. */
  #separatorChars = 0;
  /** Of a finished block that was longer than its first part: the rest comes in parts of its own. */
  #surplus: { block: string; text: string } | null = null;
  #hasShown = false;

  get content(): string {
    return this.#written.join(SEPARATOR);
  }

  live(block: string, offset: number, text: string): TextPiece[] {
    let known = this.#open.find((open) => open.block === block);
    if (known === undefined) {
      if (offset > 0) return [];
      known = { block, text: "" };
      this.#open.push(known);
    }
    // A piece that was lost comes with the finished block.
    if (offset > known.text.length) return [];
    known.text += text.slice(known.text.length - offset);
    return this.#show();
  }

  written(block: string, text: string): TextPiece[] {
    const surplus = this.#surplus;
    this.#surplus = null;
    if (surplus !== null && isPartOf(block, surplus.block)) return this.#writtenPart(surplus, text);
    const dropped = surplus === null ? [] : this.#drop(surplus.text.length);
    const first = this.#open[0];
    const isShown = first?.block === block;
    // The log has another block before the one that is on the screen: that one is shown anew when its turn comes.
    const overtaken = isShown ? [] : this.#takeBack();
    const shown = isShown ? first.text.slice(0, this.#shownChars) : "";
    this.#open = this.#open.filter((open) => open.block !== block);
    this.#shownChars = 0;
    this.#written.push(text);
    return [...dropped, ...overtaken, ...this.#finish(block, shown, text), ...this.#show()];
  }

  dropped(block: string): TextPiece[] {
    const isShown = this.#open[0]?.block === block;
    const pieces = isShown ? this.#takeBack() : [];
    this.#open = this.#open.filter((open) => open.block !== block);
    return [...pieces, ...this.#show()];
  }

  /** The turn is over: what still streams will not be finished. */
  end(): TextPiece[] {
    const surplus = this.#surplus === null ? [] : this.#drop(this.#surplus.text.length);
    this.#surplus = null;
    const pieces = this.#takeBack();
    this.#open = [];
    return [...surplus, ...pieces];
  }

  #writtenPart(surplus: { block: string; text: string }, text: string): TextPiece[] {
    const last = this.#written.length - 1;
    this.#written[last] = (this.#written[last] ?? "") + text;
    return this.#rest(surplus.block, surplus.text, text, false);
  }

  #finish(block: string, shown: string, text: string): TextPiece[] {
    if (shown === "") return [...this.#text(text), ...this.#expectParts(block, "")];
    return this.#rest(block, shown, text, true);
  }

  /** What of `text` was not shown; what was shown beyond it may belong to the next part. */
  #rest(block: string, shown: string, text: string, isStart: boolean): TextPiece[] {
    if (text.startsWith(shown)) return [...this.#more(text.slice(shown.length)), ...this.#expectParts(block, "")];
    if (shown.startsWith(text)) return this.#expectParts(block, shown.slice(text.length));
    const dropped = this.#drop(shown.length + (isStart ? this.#separatorChars : 0));
    const anew = isStart ? this.#text(text) : this.#more(text);
    return [...dropped, ...anew, ...this.#expectParts(block, "")];
  }

  #expectParts(block: string, text: string): TextPiece[] {
    this.#surplus = { block, text };
    return [];
  }

  #show(): TextPiece[] {
    const first = this.#open[0];
    if (first === undefined || first.text.length === this.#shownChars) return [];
    const surplus = this.#surplus === null ? [] : this.#drop(this.#surplus.text.length);
    this.#surplus = null;
    const fresh = first.text.slice(this.#shownChars);
    const pieces = this.#shownChars === 0 ? this.#text(fresh) : this.#more(fresh);
    this.#shownChars = first.text.length;
    return [...surplus, ...pieces];
  }

  #takeBack(): TextPiece[] {
    const chars = this.#shownChars;
    this.#shownChars = 0;
    return this.#drop(chars === 0 ? 0 : chars + this.#separatorChars);
  }

  #drop(chars: number): TextPiece[] {
    return chars === 0 ? [] : [{ type: "text_dropped", chars }];
  }

  /** The beginning of a block. */
  #text(text: string): TextPiece[] {
    if (text === "") return [];
    const separator = this.#hasShown ? SEPARATOR : "";
    this.#separatorChars = separator.length;
    this.#hasShown = true;
    return [{ type: "text", text: separator + text }];
  }

  #more(text: string): TextPiece[] {
    return text === "" ? [] : [{ type: "text", text }];
  }
}

const isPartOf = (block: string, whole: string): boolean => block.startsWith(`${whole}.`);
