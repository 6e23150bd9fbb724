import type { Machine } from './machine.ts';
import { touch } from './ops/fault.ts';
import { pin, protect, unpin } from './ops/gup.ts';
import { discard } from './ops/unmap.ts';
import { Scene, SPOT } from './plants/scene.ts';

/** Events that it takes, at most. */
export const OVERTURE_EVENTS = 900;

/**
 * One of everything, before the first divergence is planted: what a trace does not have is no evidence as long as it
 * is not known to tell such things at all.
 */
export function overture(machine: Machine): void {
  const scene = new Scene(machine);
  const { k } = scene;
  const parent = scene.task('overture');
  const reclaimer = scene.task('wl-reclaim');
  const mm = parent.mm!;
  const page = scene.written(parent);
  scene.written(parent, SPOT + 1);
  const child = scene.task('overture', parent);
  // A copy, a reuse by the last user, and one that AnonExclusive decides.
  scene.run(child, touch(k, child.mm!, SPOT, true));
  scene.run(parent, touch(k, mm, SPOT, true));
  scene.as(parent);
  protect(k, mm, SPOT);
  scene.run(parent, touch(k, mm, SPOT, true));
  if (scene.run(parent, pin(k, mm, SPOT)) >= 0) unpin(k, page);
  scene.run(child, discard(k, child.mm!, SPOT, SPOT + 2));
  // Swapped out and in again, once out of the cache and once from the device.
  for (const free of [false, true]) {
    scene.swapOut(reclaimer, page, free);
    scene.run(parent, touch(k, mm, SPOT, true));
  }
  scene.end();
}
