import type { Machine, Task } from '../machine.ts';
import { collapse, collapsible, discardHuge } from '../ops/collapse.ts';
import { fork, sharePage } from '../ops/fork.ts';
import { pin, splice, unpin } from '../ops/gup.ts';
import type { Planted, PlantKind } from './plant.ts';
import { Scene, SPOT } from './scene.ts';

/** fork shares a pinned page with the child, as kernels before 5.9 did. */
function sharePinned(machine: Machine): Planted {
  const scene = new Scene(machine);
  const { k } = scene;
  const parent = scene.task('parent');
  const page = scene.written(parent);
  scene.run(parent, pin(k, parent.mm!, SPOT));
  const place = scene.place(parent, page);
  const child = scene.childBy(parent, (pid) => fork(k, pid, sharePage));
  scene.as(parent);
  unpin(k, page);
  scene.as(child);
  scene.end();
  return place;
}

/** A collapse that does not look at the references of the pages. */
function collapseHeld(machine: Machine, hold: (scene: Scene, task: Task) => (page: number) => void): Planted {
  const scene = new Scene(machine);
  const { k } = scene;
  const victim = scene.task('victim');
  for (const index of [SPOT - 1, SPOT + 1]) scene.written(victim, index);
  const page = scene.written(victim);
  const release = hold(scene, victim);
  const place = scene.place(victim, page);
  scene.as(victim);
  const huge = collapse(k, victim.mm!, collapsible(k, victim.mm!)!, true);
  release(page);
  k.drain();
  discardHuge(k, victim.mm!, huge);
  scene.end();
  return place;
}

export const forkAndCollapsePlants: readonly PlantKind[] = [
  {
    id: 'gup-pin-broken-by-fork',
    checks: ['gup-pin-broken-by-fork'],
    verdict: 'proven',
    what: 'fork shares a pinned page with the child instead of copying it (rule before 5.9)',
    tellable: true,
    emptiesSwap: false,
    plant: sharePinned,
  },
  {
    id: 'gup-pin-broken-by-collapse',
    checks: ['gup-pin-broken-by-collapse', 'collapse-extra-refs'],
    verdict: 'proven',
    what: 'a pinned page is collapsed into a huge page: references are not looked at',
    tellable: true,
    emptiesSwap: false,
    plant: (machine) =>
      collapseHeld(machine, (scene, task) => {
        scene.run(task, pin(scene.k, task.mm!, SPOT));
        return (page) => unpin(scene.k, page);
      }),
  },
  {
    id: 'collapse-extra-refs',
    checks: ['collapse-extra-refs'],
    verdict: 'proven',
    what: 'a page with a reference of vmsplice is collapsed into a huge page',
    tellable: true,
    emptiesSwap: false,
    plant: (machine) =>
      collapseHeld(machine, (scene, task) => {
        scene.as(task);
        splice(scene.k, task.mm!, SPOT);
        return (page) => scene.k.put(page);
      }),
  },
];
