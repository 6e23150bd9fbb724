import { openTrace } from '../../readers/open.ts';
import { openSource } from '../../readers/source.ts';
import { ALL_UNDECLARED } from '../../replay/analyze.ts';
import { ingestHere } from '../../replay/ingest-here.ts';
import { ENGINE } from '../engine.ts';

/** One thing that is timed. Stages build on each other: each does the work of those before it, and one thing more. */
export interface Stage {
  readonly name: string;
  /** `gz`: works on the compressed trace. */
  readonly on: 'gz' | 'text';
  run(path: string): Promise<unknown>;
}

/** Reads a trace to its end and counts its rows. */
export async function countRecords(path: string): Promise<number> {
  let rows = 0;
  for await (const batch of (await openTrace(path)).batches()) rows += batch.count;
  return rows;
}

/** Reads and decodes a trace in this thread; its events are not kept. */
async function readAndDecode(path: string): Promise<number> {
  let events = 0;
  for await (const message of ingestHere(path, { ring: 2 })) events += message.events.count;
  return events;
}

/** Every stage, in the order of the table. */
export const STAGES: readonly Stage[] = [
  {
    name: 'inflate',
    on: 'gz',
    async run(path) {
      let bytes = 0;
      for await (const chunk of (await openSource(path, { prefixBytes: 1, enough: () => true })).chunks())
        bytes += chunk.length;
      return bytes;
    },
  },
  {
    name: 'read',
    on: 'text',
    run: countRecords,
  },
  {
    name: 'read, decode',
    on: 'text',
    run: readAndDecode,
  },
  {
    name: 'analyze, from gzip, two threads',
    on: 'gz',
    run: (path) => ENGINE.analyze(path, ALL_UNDECLARED, {}),
  },
];
