import { PG_LOCKED, PG_OWNER_2 } from '../../core/pageflags.ts';
import {
  lockRelease,
  reclaimBegin,
  reclaimEnd,
  reclaimPages,
  rmapMove,
  wpTest,
  wpTested,
} from '../../events/index.ts';
import { RECLAIM_LIST } from '../../events/reclaim.ts';
import type { Kernel } from '../kernel.ts';
import type { Machine, Task } from '../machine.ts';
import { type Decide, touch } from '../ops/fault.ts';
import { pin, protect, splice, unpin } from '../ops/gup.ts';
import { discard } from '../ops/unmap.ts';
import type { Planted, PlantKind } from './plant.ts';
import { Scene, SPOT } from './scene.ts';

/** do_wp_page of 2.6.13 to 2.6.28 before any other test: a lock that is not free means "shared". */
const COPY_IF_LOCKED: Decide = (k, page) => !k.mem.has(page, PG_LOCKED);

/** do_wp_page of 5.9 to 5.17: any other reference means "shared". */
const COPY_IF_REFERENCED: Decide = (k, page) => k.mem.ref[page] === 1;

/** A sole-user test that says yes, whatever the counts are. */
const REUSE: Decide = (k, page) => {
  const { mem, tape } = k;
  tape.emit(wpTest, mem.pfn(page), mem.ref[page]!, mem.mapcount(page), mem.flags[page]!);
  k.trylock(page);
  tape.emit(rmapMove, mem.pfn(page), Number.NaN);
  k.unlock(page);
  tape.emit(wpTested, 1);
  mem.flags[page]! |= PG_OWNER_2;
  return true;
};

/** Reclaim holds the lock of a page: it has announced the unlock and not come to it yet. */
function holdLock(k: Kernel, page: number): void {
  const { mem, tape } = k;
  tape.emit(reclaimPages);
  tape.emit(reclaimBegin, RECLAIM_LIST);
  k.isolate(page);
  k.trylock(page);
  tape.emit(lockRelease, mem.pfn(page), mem.ref[page]!, mem.flags[page]!);
}

function letGo(k: Kernel, page: number): void {
  k.mem.flags[page]! &= ~PG_LOCKED;
  k.tape.emit(reclaimEnd, RECLAIM_LIST);
  k.putback(page);
}

/** A write fault on an exclusive page whose lock reclaim holds: it is copied. */
function copyUnderReclaim(machine: Machine, pinned: boolean): Planted {
  const scene = new Scene(machine);
  const { k } = scene;
  const victim = scene.task('victim');
  const reclaimer = scene.task('wl-reclaim');
  const page = scene.written(victim);
  if (pinned) scene.run(victim, pin(k, victim.mm!, SPOT));
  scene.as(victim);
  protect(k, victim.mm!, SPOT);
  scene.as(reclaimer);
  holdLock(k, page);
  const place = scene.place(victim, page);
  scene.run(victim, touch(k, victim.mm!, SPOT, true, COPY_IF_LOCKED));
  scene.as(reclaimer);
  letGo(k, page);
  scene.as(victim);
  if (pinned) unpin(k, page);
  scene.end();
  return place;
}

/** A write fault on a pinned page is copied because of the pin's references. */
function copyReferenced(machine: Machine): Planted {
  const scene = new Scene(machine);
  const { k } = scene;
  const victim = scene.task('victim');
  const page = scene.written(victim);
  scene.run(victim, pin(k, victim.mm!, SPOT));
  protect(k, victim.mm!, SPOT);
  const place = scene.place(victim, page);
  scene.run(victim, touch(k, victim.mm!, SPOT, true, COPY_IF_REFERENCED));
  unpin(k, page);
  scene.end();
  return place;
}

interface Family {
  readonly scene: Scene;
  readonly parent: Task;
  readonly child: Task;
  readonly page: number;
}

/** A parent and a child that share a page. */
function family(machine: Machine): Family {
  const scene = new Scene(machine);
  const parent = scene.task('parent');
  const page = scene.written(parent);
  const child = scene.task('child', parent);
  // The child shows which mm it runs on.
  scene.run(child, touch(scene.k, child.mm!, SPOT + 8, true));
  return { scene, parent, child, page };
}

/** The parent writes in place although the child still maps the page. */
function missedCow(machine: Machine): Planted {
  const { scene, parent, page } = family(machine);
  const place = scene.place(parent, page);
  scene.run(parent, touch(scene.k, parent.mm!, SPOT, true, REUSE));
  scene.end();
  return place;
}

/** The child keeps a reference over its unmap, and the parent writes in place. */
function leak(machine: Machine): Planted {
  const { scene, parent, child, page } = family(machine);
  const { k } = scene;
  scene.as(child);
  splice(k, child.mm!, SPOT);
  scene.run(child, discard(k, child.mm!, SPOT, SPOT + 1));
  const place = scene.place(parent, page);
  scene.run(parent, touch(k, parent.mm!, SPOT, true, REUSE));
  scene.as(child);
  k.put(page);
  scene.end();
  return place;
}

export const cowPlants: readonly PlantKind[] = [
  {
    id: 'unexpected-cow-under-reclaim',
    checks: ['unexpected-cow-under-reclaim', 'unexpected-cow', 'policy-mismatch'],
    verdict: 'proven',
    what: 'an exclusive page is copied on a write fault because reclaim holds its lock (rule of 2.6.13 to 2.6.28)',
    tellable: true,
    emptiesSwap: false,
    plant: (machine) => copyUnderReclaim(machine, false),
  },
  {
    id: 'gup-pin-broken-by-cow',
    checks: ['gup-pin-broken-by-cow', 'unexpected-cow-under-reclaim', 'unexpected-cow', 'policy-mismatch'],
    verdict: 'proven',
    what: 'the same to a pinned page: the pin stays behind',
    tellable: true,
    emptiesSwap: false,
    plant: (machine) => copyUnderReclaim(machine, true),
  },
  {
    id: 'gup-pin-broken-by-cow.refcount',
    checks: ['gup-pin-broken-by-cow', 'unexpected-cow', 'policy-mismatch'],
    verdict: 'proven',
    what: 'a pinned page is copied on a write fault because of its references (rule of 5.9 to 5.17)',
    tellable: true,
    emptiesSwap: false,
    plant: copyReferenced,
  },
  {
    id: 'missed-cow',
    checks: ['missed-cow', 'policy-mismatch'],
    verdict: 'proven',
    what: 'a page that a child still maps is made writable in place',
    tellable: true,
    emptiesSwap: false,
    plant: missedCow,
  },
  {
    id: 'cow-leak-through-gup-ref',
    checks: ['cow-leak-through-gup-ref', 'policy-mismatch'],
    verdict: 'proven',
    what: 'a page is reused in place while a child reads it through vmsplice (rule of 2.6.29 to 5.8)',
    tellable: true,
    emptiesSwap: false,
    plant: leak,
  },
];
