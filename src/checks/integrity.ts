import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';
import type { Place } from './finding.ts';

/** Why no integrity check (3G) may be proven on a trace, or null where page_ref, alloc and free are all told. */
export function incomplete(s: MmState): string | null {
  if (!s.sources.refSet) return 'unfiltered page_ref';
  if (!s.sources.alloc) return 'page.alloc';
  if (!s.sources.free) return 'page.free';
  return s.sources.filtered ? 'unfiltered page_ref' : null;
}

/**
 * Whether an earlier happening surely came before an event: on the same CPU, or farther back than the clocks differ.
 * Equal stamps of two CPUs are in no order, whatever the clock.
 */
export function surelyBefore(
  then: { readonly ns: number; readonly cpu: number },
  now: { readonly ns: number; readonly cpu: number },
  skewNs: number,
): boolean {
  return then.cpu === now.cpu || now.ns - then.ns > skewNs;
}

/** Place of an event on a page. */
export function placeOf(e: Cursor, pfn: number): Place {
  return {
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu,
    pid: e.inInterrupt ? null : e.pid,
    mm: null,
    address: null,
    pfn,
    newPfn: null,
    entry: null,
  };
}
