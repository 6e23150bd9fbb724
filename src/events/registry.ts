import type { EventKind } from './declare.ts';
import * as families from './index.ts';

function collect(): readonly EventKind[] {
  const kinds: EventKind[] = [];
  const names = new Set<string>();
  for (const declared of Object.values(families) as EventKind[]) {
    if (names.has(declared.name)) throw new Error(`two kinds of event are called ${declared.name}`);
    names.add(declared.name);
    kinds.push(declared);
  }
  // By name, so that a kind's number does not depend on the order of files.
  kinds.sort((a, b) => (a.name < b.name ? -1 : 1));
  const tooWide = kinds.find((declared) => declared.width > 8);
  if (tooWide) throw new Error(`${tooWide.name} has more than 8 arguments`);
  for (const [code, declared] of kinds.entries()) declared.code = code;
  return kinds;
}

/** Every kind of event; its position is its code in batches. */
export const EVENT_KINDS: readonly EventKind[] = collect();

const BY_NAME = new Map(EVENT_KINDS.map((declared) => [declared.name, declared]));

/** The kind of this name, or undefined. */
export function eventKind(name: string): EventKind | undefined {
  return BY_NAME.get(name);
}
