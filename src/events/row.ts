import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import type { EventBatch } from './batch.ts';
import type { ArgType, EventKind } from './declare.ts';
import { EVENT_KINDS } from './registry.ts';

/** Offsets of the arguments that an event is first of all about, -1 none. */
interface Places {
  readonly pfn: number;
  readonly pte: number;
  readonly mm: number;
  readonly va: number;
  readonly entry: number;
}

function placesOf({ args, at }: EventKind): Places {
  const first = (type: ArgType): number => {
    const name = Object.keys(args).find((argument) => args[argument] === type);
    return name === undefined ? -1 : at[name]!;
  };
  // Of two PTEs the second is the one that holds afterwards.
  const written = Object.keys(args).findLast((argument) => args[argument] === 'pte');
  const pte = written === undefined ? -1 : at[written]!;
  return { pfn: first('pfn'), pte, mm: first('mm'), va: first('va'), entry: first('entry') };
}

const PLACES: readonly Places[] = EVENT_KINDS.map(placesOf);

/** What an event is about: its first page, mm, address and swap entry; NaN where it has none or it is not known. */
export interface Subject {
  pfn: number;
  mm: number;
  address: number;
  entry: number;
}

/** Fills in the subject of event `i` of a batch. */
export function subjectOf(batch: EventBatch, i: number, into: Subject): void {
  const places = PLACES[batch.kind[i]!]!;
  const { args } = batch;
  const base = batch.at[i]!;
  into.pfn = places.pfn < 0 ? Number.NaN : args[base + places.pfn]!;
  if (places.pfn < 0 && places.pte >= 0 && (args[base + places.pte]! & PTE_KIND) === PTE_PRESENT)
    into.pfn = args[base + places.pte + 1]!;
  into.mm = places.mm < 0 ? Number.NaN : args[base + places.mm]!;
  into.address = places.va < 0 ? Number.NaN : args[base + places.va]!;
  into.entry = places.entry < 0 ? Number.NaN : args[base + places.entry]!;
}
