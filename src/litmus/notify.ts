import { mnEnd, mnInvalidate, mnStart, spteClear } from '../events/index.ts';
import { deviceOf, mmOf, vaOf } from './addresses.ts';
import type { Machine } from './machine.ts';

/** `event` of a notification: a PTE is cleared (MMU_NOTIFY_CLEAR). */
const CLEAR = 1;

/** The driver tears its mapping of one address down. */
export function dropSpte(m: Machine, device: number, va: number): void {
  const cell = m.at.spte(device, va, 'frame');
  if (m.get(cell) === 0) return;
  m.set(cell, 0);
  m.emit(spteClear, deviceOf(device), mmOf(m.program.devices[device]!.mm), vaOf(va));
}

function each(m: Machine, mm: number, run: (device: number) => void): void {
  for (const [device, { mm: of }] of m.program.devices.entries()) if (of === mm) run(device);
}

function listens(m: Machine, mm: number): boolean {
  return m.program.devices.some((device) => device.mm === mm);
}

/** A driver is told that its mapping must go: a correct one obeys at once, an asynchronous one puts it off. */
function obey(m: Machine, device: number, va: number): void {
  if (m.rules.is('driver', 'async')) m.set(m.at.spte(device, va, 'queued'), 1);
  else dropSpte(m, device, va);
}

/** mmu_notifier_invalidate_range_start, where this kernel has it. Returns whether there is an end to come. */
export function rangeStart(m: Machine, mm: number, va: number): boolean {
  if (m.rules.notifier !== 'range' || !listens(m, mm)) return false;
  m.emit(mnStart, mmOf(mm), vaOf(va), vaOf(va) + 4096, CLEAR);
  m.add(m.at.mm(mm, 'mnActive'), 1);
  m.add(m.at.mm(mm, 'mnSeq'), 1);
  each(m, mm, (device) => {
    if (!m.rules.is('driver', 'end-only')) obey(m, device, va);
  });
  return true;
}

export function rangeEnd(m: Machine, mm: number, va: number): void {
  each(m, mm, (device) => {
    if (m.rules.is('driver', 'end-only')) dropSpte(m, device, va);
  });
  m.add(m.at.mm(mm, 'mnSeq'), 1);
  m.add(m.at.mm(mm, 'mnActive'), -1);
  m.emit(mnEnd, mmOf(mm), vaOf(va), vaOf(va) + 4096, CLEAR);
}

/** invalidate_page under the page-table lock, where this kernel has it. */
export function invalidatePage(m: Machine, mm: number, va: number): void {
  if (m.rules.notifier !== 'page' || !listens(m, mm)) return;
  m.add(m.at.mm(mm, 'mnSeq'), 1);
  each(m, mm, (device) => obey(m, device, va));
  m.emit(mnInvalidate, mmOf(mm), vaOf(va), vaOf(va) + 4096);
}
