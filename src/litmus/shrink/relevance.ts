import type { Divergence, Place } from '../../checks/finding.ts';
import type { EventBatch } from '../../events/batch.ts';
import { eachName } from '../../events/pages-of.ts';
import { type Subject, subjectOf } from '../../events/row.ts';

/** What a divergence is about. */
export interface Concern {
  readonly seqs: ReadonlySet<number>;
  readonly pages: Set<number>;
  readonly mms: Set<number>;
  readonly entries: Set<number>;
  readonly pids: Set<number>;
}

/** Values of a finding that name a task. */
const ACTORS = ['holder', 'reader', 'freer'];

/** Seqs of all events that a divergence and its consequences point at. */
export function evidenceSeqs(found: Divergence): number[] {
  const evidence = [found, ...found.consequences].flatMap((one) => one.evidence.map(({ seq }) => seq));
  return [...new Set([found.place.seq, ...evidence])].sort((a, b) => a - b);
}

/** What a divergence names by itself. */
export function concernOf(found: Divergence): Concern {
  const { place } = found;
  const known = (...values: Array<Place['pfn']>): Set<number> =>
    new Set(values.filter((value) => value !== null));
  const actors = ACTORS.map((name) => found.values[name]).filter((value) => typeof value === 'number');
  return {
    seqs: new Set(evidenceSeqs(found)),
    pages: known(place.pfn, place.newPfn),
    mms: known(place.mm),
    entries: known(place.entry),
    pids: known(place.pid, ...actors),
  };
}

/** Tells for each event of a batch whether it concerns a divergence: 1, or 0. What its evidence names, concerns it too. */
export function concerned(batch: EventBatch, concern: Concern): Uint8Array {
  const marks = new Uint8Array(batch.count);
  const subject: Subject = { pfn: 0, mm: 0, address: 0, entry: 0 };
  const { pages, mms, entries, pids, seqs } = concern;
  for (const seq of seqs) {
    const i = seq - batch.firstSeq;
    if (i < 0 || i >= batch.count) continue;
    marks[i] = 1;
    pids.add(batch.pid[i]!);
  }
  const mark = (seq: number): void => {
    marks[seq - batch.firstSeq] = 1;
  };
  eachName(batch, 0, batch.count, {
    page(pfn, seq) {
      if (pages.has(pfn)) mark(seq);
    },
    block(pfn, order, seq) {
      for (const page of pages) if (pfn <= page && page < pfn + 2 ** order) mark(seq);
    },
    mm(mm, seq) {
      if (mms.has(mm)) mark(seq);
    },
    mark,
  });
  for (let i = 0; i < batch.count; i++) {
    subjectOf(batch, i, subject);
    if (pids.has(batch.pid[i]!) || entries.has(subject.entry)) marks[i] = 1;
  }
  return marks;
}
