import { CHECKS } from '../../checks/index.ts';
import { Runner } from '../../checks/runner.ts';
import type { EventBatch } from '../../events/batch.ts';
import { ingestHere } from '../../replay/ingest-here.ts';
import { FOLDS } from '../../state/folds/index.ts';
import { MmState } from '../../state/state.ts';

/** Events that are held in memory for it: of a longer trace the first ones. */
const MOST_EVENTS = 1_000_000;
const ROUNDS = 7;

/** What all checks cost beside the fold that they watch. */
export interface ChecksCost {
  readonly events: number;
  /** Seconds of the fold alone, and of the fold with all checks. */
  readonly fold: number;
  readonly checked: number;
  /** Times of the checks by that of the fold. */
  readonly ratio: number;
}

async function firstEvents(path: string): Promise<EventBatch[]> {
  const batches: EventBatch[] = [];
  let events = 0;
  for await (const message of ingestHere(path)) {
    batches.push(message.events);
    events += message.events.count;
    if (events >= MOST_EVENTS) break;
  }
  return batches;
}

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Folds the events of a trace from memory, alone and with all checks in turn; the best round of each counts. */
export async function checksCost(path: string): Promise<ChecksCost> {
  const batches = await firstEvents(path);
  const alone = (): void => {
    const state = new MmState(FOLDS);
    for (const batch of batches) state.applyAll(batch);
  };
  const watched = (): void => {
    const runner = new Runner(new MmState(FOLDS), CHECKS, { declared: null, kernel: () => null });
    for (const batch of batches) runner.run(batch, 0, batch.count);
    runner.finish();
  };
  let fold = Number.POSITIVE_INFINITY;
  let checked = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    fold = Math.min(fold, seconds(alone));
    checked = Math.min(checked, seconds(watched));
  }
  const events = batches.reduce((sum, batch) => sum + batch.count, 0);
  return { events, fold, checked, ratio: (checked - fold) / fold };
}
