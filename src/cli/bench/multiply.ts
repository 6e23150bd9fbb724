import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { InputError } from '../../core/errors.ts';
import { openSource } from '../../readers/source.ts';

/** A record's line in pieces: before its time, the time in microseconds, behind it. */
interface Line {
  readonly head: string;
  readonly us: number;
  readonly tail: string;
}

/** What was written. */
export interface Multiplied {
  readonly copies: number;
  readonly records: number;
  readonly bytes: number;
}

/** ` 79.433759: ` behind the CPU and flags columns. */
const STAMP = /^(.{20,90}?\s)(\d+)\.(\d{6})(: .*)$/;

function parse(text: string): { readonly header: string; readonly lines: readonly Line[] } {
  const header: string[] = [];
  const lines: Line[] = [];
  for (const line of text.split('\n')) {
    const match = STAMP.exec(line);
    if (match)
      lines.push({ head: match[1]!, us: Number(match[2]) * 1_000_000 + Number(match[3]), tail: match[4]! });
    else if (line.startsWith('#') && lines.length === 0) header.push(line);
  }
  return { header: header.join('\n'), lines };
}

function stampText(us: number): string {
  return `${Math.floor(us / 1_000_000)}.${String(us % 1_000_000).padStart(6, '0')}`;
}

/**
 * Writes a trace of at least `records` records to `path`: the same text again and again, each copy later than the one
 * before, with the header between, as a log of several dumps has it.
 */
export async function multiply(input: string, records: number, path: string): Promise<Multiplied> {
  const source = await openSource(input, { prefixBytes: 1, enough: () => true });
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.chunks()) chunks.push(chunk);
  const { header, lines } = parse(Buffer.concat(chunks).toString('latin1'));
  const first = lines[0];
  const last = lines[lines.length - 1];
  if (first === undefined || last === undefined) {
    throw new InputError(`${input}: no record with a time in seconds to multiply`);
  }

  const copies = Math.max(1, Math.ceil(records / lines.length));
  const shift = last.us - first.us + 1_000_000;
  const out = createWriteStream(path, { encoding: 'latin1' });
  let bytes = 0;
  for (let copy = 0; copy < copies; copy++) {
    const later = copy * shift;
    const text = `${header}\n${lines.map((line) => line.head + stampText(line.us + later) + line.tail).join('\n')}\n`;
    bytes += text.length;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  return { copies, records: copies * lines.length, bytes };
}
