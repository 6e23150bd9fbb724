import { openTrace } from '../../readers/open.ts';
import { openSource } from '../../readers/source.ts';
import { ENGINE } from '../engine.ts';

/** One thing that is timed. Stages build on each other: each does the work of those before it, and one thing more. */
export interface Stage {
  readonly name: string;
  /** `gz`: works on the compressed trace. */
  readonly on: 'gz' | 'text';
  run(path: string): Promise<unknown>;
}

const PLAIN_OPTIONS = {
  variant: null,
  checks: null,
  since: null,
  until: null,
  kernel: null,
  arch: null,
  clock: null,
  clockSkewNs: null,
  vmemmapBase: null,
} as const;

/** Reads a trace to its end and counts its rows. */
export async function countRecords(path: string): Promise<number> {
  let rows = 0;
  for await (const batch of (await openTrace(path)).batches()) rows += batch.count;
  return rows;
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
    name: 'analyze',
    on: 'gz',
    run: (path) => ENGINE.analyze(path, PLAIN_OPTIONS, {}),
  },
];
