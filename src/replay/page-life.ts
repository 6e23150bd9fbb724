import { type Input, inputName } from '../core/input.ts';
import type { EventBatch } from '../events/batch.ts';
import { eachName } from '../events/pages-of.ts';
import { FOLDS } from '../state/folds/index.ts';
import { type Generation, PageLife } from '../state/life.ts';
import { checkDeclared, eventsOf, isCase } from './case-source.ts';
import { InputFacts } from './input-facts.ts';
import { Traveller, type TripFacts, type TripOptions } from './travel.ts';

/** All that a trace holds of one page. */
export interface PageStory {
  readonly facts: TripFacts;
  readonly pfn: number;
  readonly generations: readonly Generation[];
}

/** The life of a page, of a case by its posting lists, of a trace by reading it. Throws InputError. */
export async function pageStory(input: Input, pfn: number, options: TripOptions = {}): Promise<PageStory> {
  if (!isCase(input)) return storyOfTrace(input, pfn, options);
  const traveller = new Traveller(input);
  try {
    checkDeclared(input, traveller.reader.head, options.decode ?? {});
    return { facts: traveller.facts, pfn, generations: storyIn(traveller, pfn) };
  } finally {
    traveller.close();
  }
}

/** The life of a page of an open case: the segments that name it are opened, and no others. */
export function storyIn({ reader }: Traveller, pfn: number): Generation[] {
  const life = new PageLife(pfn, FOLDS);
  const seqs = new Set([...reader.seqsOfPage(pfn), ...reader.seqsOfMarks()]);
  for (const event of reader.eventsAt([...seqs].sort((a, b) => a - b))) life.add(event);
  return life.generations();
}

/** Seqs of a batch that name a page, and those at which records are missing. */
function namedIn(batch: EventBatch, wanted: number): number[] {
  const seqs: number[] = [];
  const add = (seq: number): void => {
    if (seqs.at(-1) !== seq) seqs.push(seq);
  };
  eachName(batch, 0, batch.count, {
    page(pfn, seq) {
      if (pfn === wanted) add(seq);
    },
    block(pfn, order, seq) {
      if (pfn <= wanted && wanted < pfn + 2 ** order) add(seq);
    },
    mm() {},
    mark: add,
  });
  return seqs;
}

async function storyOfTrace(input: Input, pfn: number, options: TripOptions): Promise<PageStory> {
  const life = new PageLife(pfn, FOLDS);
  const facts = new InputFacts();
  let events = 0;
  const how = options.decode === undefined ? {} : { decode: options.decode };
  for await (const message of (options.source ?? eventsOf)(input, how)) {
    facts.apply(message.facts);
    events += message.events.count;
    for (const seq of namedIn(message.events, pfn))
      life.add({ batch: message.events, index: seq - message.events.firstSeq });
  }
  return {
    facts: {
      path: inputName(input),
      originNs: facts.whole?.originNs ?? 0n,
      ticks: facts.whole?.ticks ?? false,
      tasks: [...facts.tasks.values()].sort((a, b) => a.pid - b.pid),
      events,
      stopped: null,
    },
    pfn,
    generations: life.generations(),
  };
}
