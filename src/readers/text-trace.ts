import { InputError } from '../core/errors.ts';
import type { FieldSpec } from '../core/fields.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { ReaderFacts } from './facts.ts';
import type { OpenTrace } from './format.ts';
import { InternedNames } from './names.ts';
import type { ByteSource } from './source.ts';
import { textExtractor } from './text-fields.ts';
import type { TextRows } from './text-rows.ts';

const LINE_FEED = 10;
/** Bytes parsed at once. Rows point into it, so it lives as long as the last batch over it. */
const BLOCK_BYTES = 1 << 20;
/** Room behind a block for a line feed that ends every scan, and for reading words across the end. */
const SLACK = 64;
/** A kernel prints at most some kilobytes on a line; markers and stacks in one line get a margin. */
const MAX_LINE = 1 << 18;

/** A buffer that holds lines, and a view of the same bytes. Some bytes of slack stand behind the lines. */
export interface TextBlock {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Knows the lines of one kind of text. */
export interface TextLines {
  /** Where the rows go. */
  readonly rows: TextRows;
  /**
   * Parses the complete lines of `block` from `from` on, of which `limit` bytes are valid and a line feed
   * stands at `limit`. Returns where it stopped: at an incomplete line, at a line whose text may go on in lines
   * that are not there yet (unless `final`), or at a full batch.
   */
  parse(block: TextBlock, from: number, limit: number, maxLine: number, final: boolean): number;
  /** Counts a line that is not read, because it is longer than any line can be. */
  skipLine(b: Buffer, from: number, reason: string): void;
}

/** What a kind of text is. */
export interface TextKind {
  readonly format: string;
  lines(facts: ReaderFacts): TextLines;
  /** Fields that the texts of this tool do not have in this form, or have wrong, by event. */
  wrong?(event: string, spec: FieldSpec): boolean;
}

/** A key that no text has. */
const NEVER_PRINTED = ' ';

/** A trace in lines of text: cuts blocks of bytes into lines, whatever they say. */
export class TextTrace implements OpenTrace {
  readonly format: string;
  readonly lines = true;
  readonly names = new InternedNames();
  readonly facts = new ReaderFacts(this.names);
  readonly source: ByteSource;
  readonly #kind: TextKind;
  readonly #lines: TextLines;
  #block = newBlock();
  /** Batches over a block that were given out and have not come back: without any it can be filled again. */
  readonly #lent = new WeakMap<Uint8Array, number>();
  /** A block that nobody reads any more. */
  #spare: TextBlock | null = null;
  /** Bytes of the block that are parsed, and that are valid. */
  #parsed = 0;
  #filled = 0;
  /** Inside a line that is too long: skip to its end. */
  #skipping = false;

  constructor(source: ByteSource, kind: TextKind) {
    this.source = source;
    this.#kind = kind;
    this.format = kind.format;
    this.#lines = kind.lines(this.facts);
  }

  extractor(nameId: number, specs: readonly FieldSpec[]): FieldExtractor {
    const event = this.names.names[nameId]!;
    const right = specs.map((spec) =>
      this.#kind.wrong?.(event, spec) ? { ...spec, key: NEVER_PRINTED } : spec,
    );
    return textExtractor(event, right);
  }

  recycle(batch: RecordBatch): void {
    this.#lent.set(batch.bytes, this.#lent.get(batch.bytes)! - 1);
    this.#lines.rows.recycle(batch);
  }

  /** The rows read so far, as a batch over the block. */
  #lend(): RecordBatch {
    const { bytes } = this.#block;
    this.#lent.set(bytes, (this.#lent.get(bytes) ?? 0) + 1);
    return this.#lines.rows.take(bytes);
  }

  async *batches(): AsyncGenerator<RecordBatch> {
    if (this.source.readInto) yield* this.#fromFile();
    else yield* this.#fromChunks();
    yield* this.#parse(true);
    yield* this.#finish();
  }

  /** Reads a file straight into blocks. */
  async *#fromFile(): AsyncGenerator<RecordBatch> {
    try {
      for (let first = true; ; first = false) {
        const got = this.source.readInto!(this.#block.bytes, this.#filled, BLOCK_BYTES - this.#filled);
        if (got === 0) return;
        if (first && startsWithMark(this.#block.bytes)) this.#parsed = 3;
        const from = this.#filled;
        this.#filled += got;
        if (this.#skipping) this.#skip(from);
        if (this.#filled < BLOCK_BYTES) continue;
        yield* this.#parse(false);
        this.#renew();
      }
    } finally {
      await this.source.close();
    }
  }

  /** Drops the rest of a line that is too long from what was read behind `from`. */
  #skip(from: number): void {
    const { bytes } = this.#block;
    const feed = bytes.subarray(from, this.#filled).indexOf(LINE_FEED);
    this.#skipping = feed < 0;
    if (feed < 0) this.#filled = from;
    else this.#parsed = from + feed + 1;
  }

  async *#fromChunks(): AsyncGenerator<RecordBatch> {
    const live = this.source.live;
    let first = true;
    for await (const chunk of this.source.chunks()) {
      let taken = first && startsWithMark(chunk) ? 3 : 0;
      first = false;
      while (taken < chunk.length) {
        taken = this.#fill(chunk, taken);
        if (this.#filled < BLOCK_BYTES && !(live && taken === chunk.length && chunk.includes(LINE_FEED)))
          continue;
        yield* this.#parse(false);
        if (this.#filled === BLOCK_BYTES) this.#renew();
      }
    }
  }

  /** Takes bytes of a chunk into the block; returns how many of the chunk are consumed in all. */
  #fill(chunk: Uint8Array, taken: number): number {
    let from = taken;
    if (this.#skipping) {
      const feed = chunk.indexOf(LINE_FEED, from);
      if (feed < 0) return chunk.length;
      this.#skipping = false;
      from = feed + 1;
    }
    const piece = chunk.subarray(from, from + BLOCK_BYTES - this.#filled);
    this.#block.bytes.set(piece, this.#filled);
    this.#filled += piece.length;
    return from + piece.length;
  }

  *#parse(final: boolean): Generator<RecordBatch> {
    const block = this.#block;
    block.bytes[this.#filled] = LINE_FEED;
    for (;;) {
      this.#parsed = this.#lines.parse(block, this.#parsed, this.#filled, MAX_LINE, final);
      if (this.#lines.rows.waiting > 0) yield this.#lend();
      else break;
    }
    const rest = this.#filled - this.#parsed;
    if (rest > MAX_LINE && block.bytes.indexOf(LINE_FEED, this.#parsed) >= this.#filled) {
      this.#lines.skipLine(block.bytes, this.#parsed, 'longer than any line of a trace');
      this.#parsed = this.#filled;
      this.#skipping = true;
    }
  }

  /** Starts a new block with what is not parsed yet. */
  #renew(): void {
    const rest = this.#block.bytes.subarray(this.#parsed, this.#filled);
    const next = this.#spare ?? newBlock();
    next.bytes.set(rest);
    this.#spare = (this.#lent.get(this.#block.bytes) ?? 0) === 0 ? this.#block : null;
    this.#block = next;
    this.#parsed = 0;
    this.#filled = rest.length;
  }

  *#finish(): Generator<RecordBatch> {
    const rest = this.#block.bytes.subarray(this.#parsed, this.#filled);
    const facts = this.facts;
    if (this.source.truncated !== null) facts.truncated = this.source.truncated;
    else if (rest.length > 0 && rest.every((byte) => byte === 0))
      facts.truncated = 'the file ends in NUL bytes';
    else if (rest.length > 0 || this.#skipping) facts.truncated = 'the last line has no end';
    if (facts.truncated !== null) this.#lines.rows.cut();
    if (this.#lines.rows.waiting > 0) yield this.#lend();
    if (facts.records === 0) {
      throw new InputError(`${this.source.label} holds no record: ${whyEmpty(facts)}`);
    }
  }
}

function whyEmpty(facts: ReaderFacts): string {
  if (facts.parseErrorCount > 0) return `none of its ${facts.lines} lines has a task, a CPU and a time`;
  if (facts.truncated !== null) return facts.truncated;
  if (facts.counters.has('function-lines')) {
    return 'only calls of the function graph tracer; record events with the nop tracer';
  }
  return facts.tracer === null
    ? 'no line has a task, a CPU and a time'
    : 'the header is there, but the buffer was empty';
}

function newBlock(): TextBlock {
  const bytes = Buffer.from(new ArrayBuffer(BLOCK_BYTES + SLACK));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** The byte order mark that some editors put in front of UTF-8. */
function startsWithMark(chunk: Uint8Array): boolean {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
}
