import { PRESENT, SWAPPED, UNMAPPING } from './layout.ts';
import type { Machine } from './machine.ts';

/** Swap PTEs that refer to the slot of a cached page. */
export function swapcountOf(m: Machine, page: number): number {
  const sc = m.page(page, 'sc');
  return sc === 0 ? 0 : m.slot(sc - 1, 'count');
}

/**
 * Whether another mm can still see the page: a present PTE, a swap PTE to its slot while it is cached (also one whose
 * count a swap-in has dropped already), or an unmap in flight (domain.md 3, sharers).
 */
export function hasSharers(m: Machine, page: number, mm: number): boolean {
  const sc = m.page(page, 'sc');
  const { mms, vas } = m.at.sizes;
  for (let other = 0; other < mms; other++) {
    if (other === mm) continue;
    for (let va = 0; va < vas; va++) {
      const kind = m.pte(other, va, 'kind');
      if (kind === 0) continue;
      const frame = m.pte(other, va, 'frame');
      if ((kind === PRESENT || kind === UNMAPPING) && frame === page) return true;
      if (kind === SWAPPED && sc !== 0 && frame === sc - 1) return true;
    }
  }
  return false;
}

/** Whether a GUP reference taken through another mm is held on the page. */
export function hasForeign(m: Machine, page: number, mm: number): boolean {
  return m.program.holds.some((hold, i) => hold.mm !== mm && m.get(m.at.hold(i)) === page + 1);
}

/** Whether only one mm can see the page, and nothing but its own references holds it. */
export function isExclusive(m: Machine, page: number, mm: number): boolean {
  return (
    m.page(page, 'ksm') === 0 &&
    m.page(page, 'map') + swapcountOf(m, page) === 1 &&
    !hasSharers(m, page, mm) &&
    !hasForeign(m, page, mm)
  );
}

/** Whether a reference that GUP took through this mapping is held on the page; only FOLL_PINs if `pinOnly`. */
export function hasOwnPin(m: Machine, page: number, mm: number, va: number, pinOnly: boolean): boolean {
  return m.program.holds.some(
    (hold, i) =>
      hold.mm === mm && hold.va === va && (hold.pin || !pinOnly) && m.get(m.at.hold(i)) === page + 1,
  );
}

/** Two mms map a page, one of them writable, and neither is inside a page-table lock. */
export function isSharedWritable(m: Machine, page: number): boolean {
  const { mms, vas } = m.at.sizes;
  let mappers = 0;
  let writable = false;
  for (let mm = 0; mm < mms; mm++) {
    let here = false;
    for (let va = 0; va < vas; va++) {
      if (m.pte(mm, va, 'kind') !== PRESENT || m.pte(mm, va, 'frame') !== page) continue;
      here = true;
      if (m.pte(mm, va, 'write') === 1) writable = true;
    }
    if (!here) continue;
    if (m.get(m.at.mm(mm, 'ptl')) !== 0) return false;
    mappers++;
  }
  return mappers > 1 && writable;
}
