import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { type Comparison, compare } from '../../../src/compare/diff/compare.ts';
import { Gatherer, type Side } from '../../../src/compare/diff/side.ts';
import { ALL_UNDECLARED, analyze } from '../../../src/replay/analyze.ts';
import { ingestHere } from '../../../src/replay/ingest-here.ts';

/** A text as one of the two sides of a comparison. */
export async function sideOfText(text: string): Promise<Side> {
  const onlooker = new Gatherer();
  const stdin = Readable.from([Buffer.from(text, 'latin1')]);
  const analysis = await analyze('-', ALL_UNDECLARED, {
    onlooker,
    source: (input, options) => ingestHere(input, { ...options, stdin }),
  });
  return onlooker.side(analysis);
}

const sides = new Map<string, Promise<Side>>();

/** A capture of traces/; each is read once. */
export function sideOfCapture(name: string): Promise<Side> {
  const known = sides.get(name);
  if (known !== undefined) return known;
  const side = sideOfText(gunzipSync(readFileSync(`traces/${name}.txt.gz`)).toString('latin1'));
  sides.set(name, side);
  return side;
}

export async function compareCaptures(a: string, b: string): Promise<Comparison> {
  return compare(await sideOfCapture(a), await sideOfCapture(b));
}
