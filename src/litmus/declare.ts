import { LRU_BATCH, LRU_OFF, LRU_ON } from './layout.ts';
import type { Device, Hold } from './program.ts';
import { ScenarioError, type Words } from './tokens.ts';

/** A page as declared. */
export interface PageSpec {
  readonly name: string;
  lru: number;
  dirty: number;
  wb: number;
  ae: number;
  ksm: number;
  content: number;
  /** Plain references that nobody is told to hold. */
  extra: number;
  /** Slot + 1 under which it is cached. */
  sc: number;
}

export interface MapSpec {
  readonly mm: number;
  readonly va: number;
  readonly page: number;
  readonly write: number;
}

export interface SwappedSpec {
  readonly mm: number;
  readonly va: number;
  readonly slot: number;
  readonly excl: number;
}

/** References declared at most: a count of pins must fit the cells of the model. */
const HOLDS_MAX = 8;
/** Pages declared at most: each is a part of every state. */
const PAGES_MAX = 16;

/** What a scenario declares before its threads begin. */
export class World {
  readonly mms: string[] = [];
  readonly vas: string[] = [];
  readonly slots: string[] = [];
  /** Page cached under a slot. */
  readonly cached: Record<number, number> = {};
  /** Slots that shmem refers to: counted, and in no page table. */
  readonly shmem: number[] = [];
  readonly pages: PageSpec[] = [];
  readonly maps: MapSpec[] = [];
  readonly swapped: SwappedSpec[] = [];
  readonly devices: Device[] = [];
  readonly holds: Hold[] = [];
  /** Page of each hold that is held from the start, -1 else. */
  readonly held: number[] = [];
  /** Addresses that some CPU's TLB has. */
  readonly cachedVas: Array<{ readonly mm: number; readonly va: number }> = [];
  readonly sptes: Array<{ readonly device: number; readonly va: number; readonly page: number }> = [];

  get pageNames(): string[] {
    return this.pages.map(({ name }) => name);
  }
  get deviceNames(): string[] {
    return this.devices.map(({ name }) => name);
  }
  get holdNames(): string[] {
    return this.holds.map(({ name }) => name);
  }
}

function oneMapping(world: World, mm: number, va: number, words: Words): void {
  const taken = [...world.maps, ...world.swapped].some((other) => other.mm === mm && other.va === va);
  if (taken) throw words.error(`expected an address that is still empty in ${world.mms[mm]!}`);
}

type Declaration = (world: World, words: Words) => void;

/** Declarations by their first word. */
export const DECLARATIONS: Readonly<Record<string, Declaration>> = {
  mm(world, words) {
    do world.mms.push(words.fresh('an mm', world.mms));
    while (words.more);
  },
  va(world, words) {
    do world.vas.push(words.fresh('an address', world.vas));
    while (words.more);
  },
  slot(world, words) {
    do world.slots.push(words.fresh('a swap slot', world.slots));
    while (words.more);
  },
  page(world, words) {
    const page: PageSpec = {
      name: words.fresh('a page', world.pageNames),
      lru: LRU_ON,
      dirty: 1,
      wb: 0,
      ae: 0,
      ksm: 0,
      content: 1,
      extra: 0,
      sc: 0,
    };
    while (words.more) {
      const word = words.oneOf(
        ['lru', 'off-lru', 'batch', 'clean', 'dirty', 'writeback', 'exclusive', 'ksm', 'content', 'refs'],
        'a property of the page',
      );
      if (word === 'lru') page.lru = LRU_ON;
      else if (word === 'off-lru') page.lru = LRU_OFF;
      else if (word === 'batch') page.lru = LRU_BATCH + words.number('the CPU of the batch');
      else if (word === 'clean') page.dirty = 0;
      else if (word === 'dirty') page.dirty = 1;
      else if (word === 'writeback') page.wb = 1;
      else if (word === 'exclusive') page.ae = 1;
      else if (word === 'ksm') page.ksm = 1;
      else if (word === 'content') page.content = words.number('a content (a small number)');
      else page.extra = words.number('a number of plain references');
    }
    if (world.pages.length === PAGES_MAX) throw words.error(`expected at most ${PAGES_MAX} pages`);
    world.pages.push(page);
  },
  map(world, words) {
    const mm = words.named(world.mms, 'an mm');
    const va = words.named(world.vas, 'an address');
    oneMapping(world, mm, va, words);
    const page = words.named(world.pageNames, 'a page');
    const write = words.oneOf(['ro', 'rw'], 'a protection') === 'rw' ? 1 : 0;
    const shared = world.maps.find((map) => map.page === page && map.mm !== mm && map.write + write > 0);
    if (shared !== undefined)
      throw words.error(
        `${world.pages[page]!.name} would be writable in ${world.mms[write === 1 ? mm : shared.mm]!} and mapped in another mm: no kernel begins so`,
      );
    world.maps.push({ mm, va, page, write });
  },
  cache(world, words) {
    const page = words.named(world.pageNames, 'a page');
    do {
      const slot = words.named(world.slots, 'a swap slot');
      if (world.cached[slot] !== undefined)
        throw words.error(`${world.slots[slot]!} has a page in the swap cache already`);
      world.pages[page]!.sc ||= slot + 1;
      world.cached[slot] = page;
    } while (words.more);
  },
  swapped(world, words) {
    const mm = words.named(world.mms, 'an mm');
    const va = words.named(world.vas, 'an address');
    oneMapping(world, mm, va, words);
    const slot = words.named(world.slots, 'a swap slot');
    const excl = words.more && words.oneOf(['exclusive'], 'exclusive') === 'exclusive' ? 1 : 0;
    world.swapped.push({ mm, va, slot, excl });
  },
  shmem(world, words) {
    do world.shmem.push(words.named(world.slots, 'a swap slot'));
    while (words.more);
  },
  device(world, words) {
    const name = words.fresh('a device', world.deviceNames);
    world.devices.push({ name, mm: words.named(world.mms, 'the mm it listens to') });
  },
  spte(world, words) {
    const device = words.named(world.deviceNames, 'a device');
    const va = words.named(world.vas, 'an address');
    world.sptes.push({ device, va, page: words.named(world.pageNames, 'a page') });
  },
  tlb(world, words) {
    const mm = words.named(world.mms, 'an mm');
    const va = words.named(world.vas, 'an address');
    if (!world.maps.some((map) => map.mm === mm && map.va === va))
      throw words.error(`expected an address that ${world.mms[mm]!} maps: declare 'map' before 'tlb'`);
    world.cachedVas.push({ mm, va });
  },
  hold(world, words) {
    const name = words.fresh('a reference', world.holdNames);
    const mm = words.named(world.mms, 'an mm');
    const va = words.named(world.vas, 'an address');
    const kind = words.oneOf(['pin', 'get'], 'a kind of reference');
    const way = words.oneOf(['read', 'write'], 'what it is for');
    const page = words.more ? words.named(world.pageNames, 'the page it is held on') : -1;
    const isMapped = world.maps.some((map) => map.mm === mm && map.va === va && map.page === page);
    if (page >= 0 && !isMapped && world.pages[page]!.extra === 0)
      throw words.error(
        `reference ${name} is held on a page that ${world.vas[va]!} of ${world.mms[mm]!} does not map: 'map' it first`,
      );
    if (world.holds.length === HOLDS_MAX) throw words.error(`expected at most ${HOLDS_MAX} references`);
    world.holds.push({ name, mm, va, pin: kind === 'pin', write: way === 'write', initial: page >= 0 });
    world.held.push(page);
  },
};

/** Refuses a world that contradicts itself. */
export function checkWorld(world: World, line: number): void {
  const wrong = (message: string): never => {
    throw new ScenarioError(line, 1, message);
  };
  if (world.mms.length === 0) wrong("expected an mm before the threads ('mm A')");
  if (world.vas.length === 0) wrong("expected an address before the threads ('va v')");
}
