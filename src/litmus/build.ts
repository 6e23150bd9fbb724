import { PIN_BIAS } from '../events/flags.ts';
import type { World } from './declare.ts';
import { Layout, PRESENT, SWAPPED } from './layout.ts';
import { FRESH_PAGES, type Program } from './program.ts';

/** What the parser read beside the world. */
type Told = Pick<
  Program,
  'name' | 'title' | 'origin' | 'about' | 'requires' | 'expectations' | 'judged' | 'threads' | 'text'
>;

/** Makes a program of what was read: the layout of its state, and the state it begins in. */
export function build(told: Told, world: World): Program {
  const declared = world.pages.length;
  const layout = new Layout({
    pages: declared + told.threads.length * FRESH_PAGES,
    mms: world.mms.length,
    vas: world.vas.length,
    slots: world.slots.length,
    devices: world.devices.length,
    holds: world.holds.length,
    threads: told.threads.length,
  });
  const cells = new Int16Array(layout.cells);
  for (const [i, page] of world.pages.entries()) {
    cells[layout.page(i, 'live')] = 1;
    cells[layout.page(i, 'lru')] = page.lru;
    cells[layout.page(i, 'dirty')] = page.dirty;
    cells[layout.page(i, 'wb')] = page.wb;
    cells[layout.page(i, 'ae')] = page.ae;
    cells[layout.page(i, 'ksm')] = page.ksm;
    cells[layout.page(i, 'content')] = page.content;
    cells[layout.page(i, 'sc')] = page.sc;
    cells[layout.page(i, 'private')] = page.sc;
    // A batch holds a reference, and so does the swap cache, one for each slot.
    const cached = Object.values(world.cached).filter((other) => other === i).length;
    cells[layout.page(i, 'ref')] = page.extra + (page.lru >= 3 ? 1 : 0) + (cached > 0 ? 1 : 0);
  }
  for (const { mm, va, page, write } of world.maps) {
    cells[layout.pte(mm, va, 'kind')] = PRESENT;
    cells[layout.pte(mm, va, 'frame')] = page;
    cells[layout.pte(mm, va, 'write')] = write;
    // AE1: what is mapped writable is exclusive.
    if (write === 1) cells[layout.page(page, 'ae')] = 1;
    cells[layout.pte(mm, va, 'value')] = world.pages[page]!.content;
    cells[layout.page(page, 'ref')]!++;
    cells[layout.page(page, 'map')]!++;
  }
  for (const { mm, va } of world.cachedVas) {
    cells[layout.pte(mm, va, 'tlb')] = cells[layout.pte(mm, va, 'frame')]! + 1;
    cells[layout.pte(mm, va, 'tlbw')] = cells[layout.pte(mm, va, 'write')]!;
  }
  const used = new Set<number>();
  for (const [slot, page] of Object.entries(world.cached)) {
    cells[layout.slot(Number(slot), 'page')] = page + 1;
    cells[layout.slot(Number(slot), 'content')] = world.pages[page]!.content;
    used.add(Number(slot));
  }
  const count = (slot: number): void => {
    cells[layout.slot(slot, 'count')]!++;
    if (cells[layout.slot(slot, 'content')] === 0) cells[layout.slot(slot, 'content')] = 1;
    used.add(slot);
  };
  for (const { mm, va, slot, excl } of world.swapped) {
    count(slot);
    cells[layout.pte(mm, va, 'kind')] = SWAPPED;
    cells[layout.pte(mm, va, 'frame')] = slot;
    cells[layout.pte(mm, va, 'excl')] = excl;
    cells[layout.pte(mm, va, 'value')] = cells[layout.slot(slot, 'content')]!;
  }
  for (const slot of world.shmem) count(slot);
  cells[layout.si('inuse')] = used.size;
  for (let mm = 0; mm < world.mms.length; mm++) cells[layout.mm(mm, 'pmd')] = 1;
  for (const { device, va, page } of world.sptes) cells[layout.spte(device, va, 'frame')] = page + 1;
  for (const [i, page] of world.held.entries()) {
    if (page < 0) continue;
    cells[layout.hold(i)] = page + 1;
    cells[layout.page(page, 'ref')]! += world.holds[i]!.pin ? PIN_BIAS : 1;
  }
  return {
    ...told,
    pages: [...world.pageNames, ...freshNames(told)],
    mms: world.mms,
    vas: world.vas,
    slots: world.slots,
    devices: world.devices,
    holds: world.holds,
    tlb: world.cachedVas.length > 0,
    layout,
    initial: cells,
    fresh: declared,
  };
}

/** Copies are named after the thread that makes them: app1, app2, ... */
function freshNames({ threads }: Told): string[] {
  return threads.flatMap(({ name }) => Array.from({ length: FRESH_PAGES }, (_, n) => `${name}${n + 1}`));
}
