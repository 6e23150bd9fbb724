import { PTE_EXCLUSIVE, PTE_SWAP } from '../../core/pte.ts';
import {
  siFreed,
  siGet,
  siGot,
  swapEntriesFreeEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFreeCache,
  swapFreeCacheEnd,
  swapoffBegin,
  swapoffEnd,
  swapReclaim,
  swapReclaimEnd,
  sysEnter,
  sysExit,
  unuseBegin,
  unuseEnd,
  zapRangeBegin,
} from '../../events/index.ts';
import type { Machine, Task } from '../machine.ts';
import { touch } from '../ops/fault.ts';
import { DEVICE, dropOrphans, NAME, swapon, unuseMm } from '../ops/swapoff.ts';
import { CALL, discard } from '../ops/unmap.ts';
import { HAS_CACHE } from '../swap.ts';
import type { Planted, PlantKind } from './plant.ts';
import { Scene, SPOT } from './scene.ts';

const NOT_TOLD = Number.NaN;

interface Swapped {
  readonly scene: Scene;
  readonly owner: Task;
  readonly reclaimer: Task;
  readonly page: number;
  readonly slot: number;
}

/** A task whose page is in swap, and in the swap cache still. */
function swapped(machine: Machine): Swapped {
  const scene = new Scene(machine);
  const owner = scene.task('owner');
  const reclaimer = scene.task('wl-reclaim');
  const page = scene.written(owner);
  scene.swapOut(reclaimer, page, false);
  return { scene, owner, reclaimer, page, slot: owner.mm!.frame[SPOT]! };
}

function placeOf({ scene, owner, page, slot }: Swapped): Planted {
  return { ...scene.place(owner, page), entry: slot };
}

/** swapoff begins, and brings everything in but what one task has in swap. */
function beginSwapoff(scene: Scene, off: Task, but: Task): void {
  const { k, mem } = scene;
  scene.as(off);
  k.tape.emit(sysEnter, CALL.swapoff, NAME);
  k.tape.emit(swapoffBegin);
  mem.swapOn = false;
  k.tape.emit(unuseBegin, DEVICE);
  for (const mm of [...mem.mms]) if (mm !== but.mm) scene.run(off, unuseMm(k, mm));
}

/** The device goes. */
function endSwapoff({ k }: Scene): void {
  k.tape.emit(siFreed, DEVICE);
  k.tape.emit(swapoffEnd, 0);
  k.tape.emit(sysExit, CALL.swapoff, 0);
}

/** swapoff tears the device down while another CPU is in the middle of freeing one of its slots. */
function swapoffRace(machine: Machine): Planted {
  const story = swapped(machine);
  const { scene, owner, slot } = story;
  const { k, mem } = scene;
  const { tape } = k;
  const mm = owner.mm!;
  const place = placeOf(story);
  const off = scene.task('swapoff');
  // Someone who holds the page-table lock is not preempted: the two run on different CPUs.
  machine.apart(owner, off);
  beginSwapoff(scene, off, owner);
  // The owner unmaps its page: the count goes, and what follows looks at the device without holding it.
  scene.as(owner);
  tape.emit(zapRangeBegin, mm.addr, mem.va(mm, SPOT), mem.va(mm, SPOT + 1));
  k.lockTable();
  tape.emit(swapFreeCache, slot, 1);
  tape.emit(swapEntryFree, slot, 1, 1);
  mem.swapCount[slot]!--;
  tape.emit(swapEntryFreeEnd, HAS_CACHE);
  tape.emit(swapEntriesFreeEnd, 1);
  scene.run(off, dropOrphans(k));
  tape.emit(unuseEnd, 0);
  endSwapoff(scene);
  scene.as(owner);
  tape.emit(swapReclaim, slot, 0);
  tape.emit(swapReclaimEnd, 0);
  tape.emit(swapFreeCacheEnd);
  k.writePte(mm, SPOT, 0, 0);
  k.unlockTable();
  scene.as(off);
  swapon(k);
  scene.end();
  return place;
}

/** fork copies a swap PTE and forgets to count it: the slot is freed once too often. */
function underflow(machine: Machine): Planted {
  const story = swapped(machine);
  const { scene, owner, slot } = story;
  const { k, mem } = scene;
  const place = placeOf(story);
  // The child's PTE is set by a fork that did not duplicate: two PTEs, one count.
  const child = scene.task('child');
  scene.as(child);
  k.lockTable();
  k.setPte(child.mm!, SPOT, PTE_SWAP | (owner.mm!.bits[SPOT]! & ~PTE_EXCLUSIVE & ~7), slot);
  k.unlockTable();
  scene.run(owner, touch(k, owner.mm!, SPOT, false));
  scene.as(child);
  k.tape.emit(zapRangeBegin, child.mm!.addr, mem.va(child.mm!, SPOT), mem.va(child.mm!, SPOT + 1));
  k.lockTable();
  freeTold(k, slot, 0xff);
  k.writePte(child.mm!, SPOT, 0, 0);
  k.unlockTable();
  scene.end();
  return { ...place, pid: child.pid, mm: child.mm?.addr ?? null };
}

/** The records of free_swap_and_cache_nr that leaves this byte in the map. */
function freeTold(k: Machine['k'], slot: number, left: number): void {
  const { tape } = k;
  tape.emit(swapFreeCache, slot, 1);
  tape.emit(siGet, slot);
  tape.emit(siGot, NOT_TOLD, 1);
  tape.emit(swapEntryFree, slot, 1, 1);
  tape.emit(swapEntryFreeEnd, left);
  tape.emit(swapEntriesFreeEnd, 1);
  tape.emit(swapFreeCacheEnd);
}

/** try_to_unuse misses an mm: it returns although a slot still has a user, which comes for it a moment later. */
function entryLeak(machine: Machine): Planted {
  const story = swapped(machine);
  const { scene, owner } = story;
  const { k } = scene;
  const place = placeOf(story);
  const off = scene.task('swapoff');
  beginSwapoff(scene, off, owner);
  scene.run(off, dropOrphans(k));
  k.tape.emit(unuseEnd, 0);
  scene.run(owner, discard(k, owner.mm!, SPOT, SPOT + 1));
  scene.as(off);
  endSwapoff(scene);
  swapon(k);
  scene.end();
  // The task that says that nothing is in use.
  return { ...place, pid: off.pid };
}

export const swapPlants: readonly PlantKind[] = [
  {
    id: 'swapoff-unprotected-si-use',
    checks: ['swapoff-unprotected-si-use', 'swapoff-uaf-si'],
    verdict: 'proven',
    what: 'swapoff tears a device down while an unmap is freeing one of its slots without a reference (4.11 to 5.2)',
    tellable: true,
    emptiesSwap: true,
    plant: swapoffRace,
  },
  {
    id: 'swap-count-underflow',
    checks: ['swap-count-underflow'],
    verdict: 'proven',
    what: 'a slot is freed once more than it was counted: a swap PTE was set without a count',
    tellable: true,
    emptiesSwap: false,
    plant: underflow,
  },
  {
    id: 'swap-entry-leak',
    checks: ['swap-entry-leak'],
    verdict: 'proven',
    what: 'swapoff ends although a slot still has a user',
    tellable: true,
    emptiesSwap: true,
    plant: entryLeak,
  },
];
