import { rmSync, statSync } from 'node:fs';
import { ALL_UNDECLARED } from '../../replay/analyze.ts';
import { storyIn } from '../../replay/page-life.ts';
import { Traveller } from '../../replay/travel.ts';
import { ENGINE } from '../engine.ts';

/** Seeks and lookups that are timed, spread over the case by a fixed sequence. */
const TRIES = 300;

/** Times of one sort of question, in milliseconds. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

/** What a case costs to write, to keep and to ask. */
export interface CaseCosts {
  readonly events: number;
  readonly bytes: number;
  readonly open: number;
  readonly state: Spread;
  readonly page: Spread;
}

/** Records a trace in a case. */
export async function recordCase(path: string, into: string): Promise<void> {
  rmSync(into, { force: true });
  await ENGINE.analyze(path, ALL_UNDECLARED, { record: { path: into, program: 'bench' } });
}

function spread(times: number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { median: at(0.5), p99: at(0.99), worst: round(sorted.at(-1)!) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Numbers from 0 up to and without 1, always the same ones. */
function* fixedSequence(): Generator<number> {
  for (let x = 1; ; x = (x * 48271) % 2147483647) yield x / 2147483647;
}

/** Asks a case for states at seqs all over it, and for the lives of pages. */
export function askCase(path: string): CaseCosts {
  const start = performance.now();
  const traveller = Traveller.open(path);
  const open = round(performance.now() - start);
  try {
    const { events } = traveller.reader.head;
    const pages = traveller.reader.pages();
    const chance = fixedSequence();
    const timed = (work: (at: number) => unknown): Spread => {
      const times: number[] = [];
      for (let i = 0; i < TRIES; i++) {
        const at = chance.next().value as number;
        const before = performance.now();
        work(at);
        times.push(performance.now() - before);
      }
      return spread(times);
    };
    return {
      events,
      bytes: statSync(path).size,
      open,
      state: timed((at) => traveller.stateAt(1 + Math.floor(at * events))),
      page: timed((at) => storyIn(traveller, pages[Math.floor(at * pages.length)]!.key)),
    };
  } finally {
    traveller.close();
  }
}
