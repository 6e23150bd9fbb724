import type { WpBracket } from '../decision.ts';
import type { MmState } from '../state.ts';
import type { FaultBracket, Task } from '../tasks.ts';

/** Innermost do_wp_page bracket of a task, or null. */
export function wpOf(task: Task): WpBracket | null {
  return task.fault !== null && task.fault.kind === 'wp' ? (task.fault as WpBracket) : null;
}

/** A do_wp_page bracket is over, or given up. */
export function closeWatch(s: MmState, wp: WpBracket): void {
  const at = s.open.indexOf(wp);
  if (at < 0) return;
  s.open.splice(at, 1);
  const row = s.pages.find(wp.pfn);
  if (row >= 0 && s.pages.col.watched[row]! > 0) s.pages.col.watched[row]!--;
}

/** Gives up the brackets from the innermost one up to and without `outer`: their returns are missing. */
export function abandon(s: MmState, task: Task, outer: FaultBracket | null): void {
  for (let at = task.fault; at !== null && at !== outer; at = at.outer)
    if (at.kind === 'wp') closeWatch(s, at as WpBracket);
  task.fault = outer;
}

/** Leaves the innermost bracket of a kind, and those inside it whose return was not seen. */
export function leave(s: MmState, task: Task, kind: FaultBracket['kind']): void {
  for (let at = task.fault; at !== null; at = at.outer) {
    if (at.kind === kind) {
      abandon(s, task, at.outer);
      return;
    }
  }
}

/**
 * The do_wp_page bracket that a record from inside it belongs to, or null. A record that names another page or
 * address is of a later fault, whose entry is missing as the return of this one is: the bracket says nothing any
 * more. Functions on folios name the head of a large one.
 */
export function wpFor(s: MmState, task: Task, page: number, va: number, head: boolean): WpBracket | null {
  const wp = wpOf(task);
  if (wp === null) return null;
  const other = page >= 0 && !Number.isNaN(wp.pfn) && page !== wp.pfn;
  const inFolio = (head || wp.largeBefore) && page < wp.pfn && wp.pfn - page < 512;
  if ((other && !inFolio) || (!Number.isNaN(va) && Math.floor(va / 4096) * 4096 !== wp.va)) {
    abandon(s, task, wp.outer);
    return null;
  }
  return wp;
}
