import { PG_LOCKED } from '../../core/pageflags.ts';
import { ACCESS_DEVICE } from '../../events/access.ts';
import { FAULT_USER, MAPPING_KSM } from '../../events/flags.ts';
import {
  access,
  faultBegin,
  faultEnd,
  lockRelease,
  lockTry,
  lockWait,
  mnEnd,
  mnStart,
  pageFree,
  pageZero,
  pteSet,
  refAdd,
  spteSet,
} from '../../events/index.ts';
import { MN_CLEAR, WRITABLE } from '../kernel.ts';
import type { Machine, Task } from '../machine.ts';
import { type Decide, RULE_6_12, someContent, touch } from '../ops/fault.ts';
import { pair } from '../ops/ksm.ts';
import { discard } from '../ops/unmap.ts';
import type { Planted, PlantKind } from './plant.ts';
import { Scene, SPOT } from './scene.ts';

const NOT_TOLD = Number.NaN;

/** A page that one task has written, and what else a story needs. */
function written(machine: Machine): { scene: Scene; task: Task; page: number } {
  const scene = new Scene(machine);
  const task = scene.task('victim');
  return { scene, task, page: scene.written(task) };
}

/** A page that was freed a moment ago, and that nobody gets meanwhile. */
function freed(machine: Machine): { scene: Scene; task: Task; page: number; place: Planted } {
  const { scene, task, page } = written(machine);
  const place = scene.place(task, page);
  scene.run(task, discard(scene.k, task.mm!, SPOT, SPOT + 1));
  return { scene, task, page, place };
}

/** A count that is told and not kept: the page itself is left as it is. */
function tellRef(scene: Scene, page: number, delta: number, count: number, zero = NOT_TOLD): void {
  const { mem, k } = scene;
  k.tape.emit(
    refAdd,
    mem.pfn(page),
    delta,
    zero,
    NOT_TOLD,
    count,
    mem.mapcount(page),
    mem.flags[page]!,
    mem.kind[page]!,
  );
}

function afterFree(machine: Machine, story: (scene: Scene, page: number) => void): Planted {
  const { scene, page, place } = freed(machine);
  story(scene, page);
  scene.end();
  return place;
}

/** A page loses a mapping that it does not have. */
function mapcountNegative(machine: Machine): Planted {
  const { scene, task, page } = written(machine);
  const { k, mem } = scene;
  const place = scene.place(task, page);
  // Someone holds the page over it.
  k.ref(page, 1);
  scene.run(task, discard(k, task.mm!, SPOT, SPOT + 1));
  k.unmap(page, task.mm!, SPOT);
  mem.maps[page] = 0;
  k.put(page);
  scene.end();
  return place;
}

/** A put too many frees a page that is still mapped; nobody gets it afterwards. */
function freeMapped(machine: Machine): Planted {
  const { scene, task, page } = written(machine);
  const { k, mem } = scene;
  const place = scene.place(task, page);
  const mm = task.mm!;
  scene.as(task);
  k.put(page);
  mem.free.pop();
  mem.writePte(mm, SPOT, 0, 0);
  scene.end();
  return place;
}

/** KSM merges two pages; the one that still maps the KSM page gets to write it in place. */
function ksmReuse(machine: Machine): Planted {
  const { scene, task, page } = written(machine);
  const { k, mem } = scene;
  const mm = task.mm!;
  const other = scene.written(task, SPOT + 1);
  const content = someContent(k) + 1e6 + mem.pfn(page);
  mem.content[page] = content;
  mem.content[other] = content;
  const ksmd = scene.task('ksmd');
  scene.as(ksmd);
  k.ref(page, 1);
  pair(k, { mm, index: SPOT, page }, { mm, index: SPOT + 1, page: other });
  k.put(page);
  scene.run(task, discard(k, mm, SPOT + 1, SPOT + 2));
  const place = scene.place(task, page);
  const inPlace: Decide = (kernel, kpage) => {
    RULE_6_12(kernel, kpage);
    return true;
  };
  scene.run(task, touch(k, mm, SPOT, true, inPlace));
  mem.kind[page] = MAPPING_KSM;
  scene.as(ksmd);
  k.ref(page, 1);
  k.put(page);
  scene.end();
  return place;
}

/** A page is unlocked that nobody has locked. */
function unlockFree(machine: Machine): Planted {
  const { scene, task, page } = written(machine);
  const place = scene.place(task, page);
  scene.as(task);
  scene.k.trylock(page);
  scene.k.unlock(page);
  scene.k.unlock(page);
  scene.end();
  return place;
}

/** A story about the lock of a page that the victim has taken; `other` is another task. */
function locked(
  machine: Machine,
  story: (scene: Scene, page: number, owner: Task, other: Task) => Task,
): Planted {
  const { scene, task, page } = written(machine);
  const other = scene.task('other');
  const place = scene.place(task, page);
  scene.as(task);
  // Who ends the story is who did wrong.
  const culprit = story(scene, page, task, other);
  scene.end();
  return { ...place, pid: culprit.pid };
}

/** COW breaks a page of an mm with secondary MMUs, and nobody tells them. */
function untoldCow(machine: Machine, withDevice: boolean): Planted {
  const scene = new Scene(machine);
  const { k, mem } = scene;
  const parent = scene.task('parent');
  const mm = parent.mm!;
  const page = scene.written(parent);
  scene.written(parent, SPOT + 1);
  scene.task('child', parent);
  const va = mem.va(mm, SPOT);
  const place = scene.place(parent, page);
  scene.as(parent);
  k.tape.emit(mnStart, mm.addr, va + 8192, va + 12288, MN_CLEAR);
  k.tape.emit(mnEnd, mm.addr, va + 8192, va + 12288, MN_CLEAR);
  if (withDevice) k.tape.emit(spteSet, 1, mm.addr, va, mem.pfn(page), 0);
  scene.run(parent, touch(k, mm, SPOT, true));
  if (withDevice) k.tape.emit(access, ACCESS_DEVICE, mm.addr, va, mem.pfn(page), 0, 1);
  scene.end();
  return place;
}

/** A task gets a writable PTE of the zero page. */
function zeroPage(machine: Machine): Planted {
  const scene = new Scene(machine);
  const { k, mem } = scene;
  const task = scene.task('victim');
  const mm = task.mm!;
  scene.as(task);
  k.tape.emit(pageZero, ZERO_PFN);
  k.tape.emit(faultBegin, mm.addr, mem.va(mm, SPOT), FAULT_USER);
  k.tape.emit(pteSet, mm.addr, mem.ptep(mm, SPOT), 0, NOT_TOLD, WRITABLE, ZERO_PFN, 1);
  k.tape.emit(faultEnd, 0);
  const place = { ...scene.place(task, 0), pfn: ZERO_PFN };
  scene.end();
  return place;
}

/** pfn of the zero page, below all others. */
const ZERO_PFN = 0x1f5e;

const proven = (id: string, what: string, plant: PlantKind['plant'], tellable = true): PlantKind => ({
  id,
  checks: [id],
  verdict: 'proven',
  what,
  tellable,
  emptiesSwap: false,
  plant,
});

export const pagePlants: readonly PlantKind[] = [
  proven('refcount-underflow', 'a reference of a page is put that nobody holds any more', (machine) =>
    afterFree(machine, (scene, page) => tellRef(scene, page, -1, -1, 0)),
  ),
  proven('use-after-free-page', 'a reference is taken on a page that was freed', (machine) =>
    afterFree(machine, (scene, page) => {
      tellRef(scene, page, 1, 1);
      tellRef(scene, page, -1, 0);
    }),
  ),
  {
    ...proven('double-free-page', 'a page goes back to the allocator twice', (machine) =>
      afterFree(machine, (scene, page) => scene.k.tape.emit(pageFree, scene.mem.pfn(page), 0)),
    ),
    verdict: 'suspect',
  },
  proven('mapcount-negative', 'a page loses a mapping that it does not have', mapcountNegative),
  proven('free-while-mapped', 'a put too many frees a page that a task still maps', freeMapped),
  proven('ksm-in-place-reuse', 'a KSM page is made writable in place', ksmReuse),
  proven('page-unlock-not-locked', 'a page is unlocked twice', unlockFree),
  proven(
    'page-unlock-by-non-owner',
    'a task unlocks a page that another one has locked',
    (machine) =>
      locked(machine, (scene, page, owner, other) => {
        scene.as(owner);
        scene.k.trylock(page);
        scene.as(other);
        scene.k.unlock(page);
        return other;
      }),
    false,
  ),
  proven(
    'page-lock-recursion',
    'a task waits for a page lock that it holds itself',
    (machine) =>
      locked(machine, (scene, page, owner) => {
        scene.k.trylock(page);
        scene.k.tape.emit(lockWait, scene.mem.pfn(page));
        scene.k.unlock(page);
        return owner;
      }),
    false,
  ),
  proven(
    'page-lock-held-at-end',
    'a fault returns with a page lock held',
    (machine) =>
      locked(machine, (scene, page, owner, other) => {
        const { k, mem } = scene;
        k.tape.emit(faultBegin, owner.mm!.addr, mem.va(owner.mm!, SPOT), FAULT_USER);
        k.trylock(page);
        k.tape.emit(faultEnd, 0);
        scene.as(other);
        k.tape.emit(lockTry, mem.pfn(page), 0);
        scene.as(owner);
        k.tape.emit(lockRelease, mem.pfn(page), mem.ref[page]!, mem.flags[page]!);
        mem.flags[page]! &= ~PG_LOCKED;
        return owner;
      }),
    false,
  ),
  {
    id: 'mmu-notifier-missing',
    checks: ['mmu-notifier-missing'],
    verdict: 'suspect',
    what: 'COW replaces a page of an mm with secondary MMUs, and they are not told',
    tellable: true,
    emptiesSwap: false,
    plant: (machine) => untoldCow(machine, false),
  },
  proven(
    'secondary-mmu-stale-mapping',
    'the same while a device maps the page, and goes on reading it',
    (machine) => untoldCow(machine, true),
    false,
  ),
  proven('zero-page-violation', 'the zero page gets a writable PTE', zeroPage, false),
];
