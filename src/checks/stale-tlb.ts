import { ACCESS_CPU } from '../events/access.ts';
import { access, mmExit, tlbFlush } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { covers } from '../state/secondary.ts';
import type { MmState } from '../state/state.ts';
import type { StaleEntry } from '../state/tlb.ts';
import type { KindHook } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import type { Evidence, Place, Severity } from './finding.ts';
import type { Pending } from './pending.ts';
import { primaryAt } from './secondary-mmu.ts';

/** Key of a translation that CPUs may still have. */
export function staleKey(mm: number, va: number): string {
  return `${mm} ${Math.floor(va / 4096)}`;
}

/** Whether the PTE that is there now lets a CPU reach this page: then no older translation is needed for it. */
export function isAllowed(s: MmState, mm: number, va: number, page: number, writes: boolean): boolean {
  const now = primaryAt(s, mm, va);
  return now !== null && now.pfn === page && (now.write || !writes);
}

/** Claims that a translation should have been flushed by now. */
export function claimStale(
  pending: Pending,
  e: Cursor,
  stale: StaleEntry,
  claim: {
    readonly severity: Severity;
    readonly cause: string;
    readonly text: string;
    readonly newPfn?: number;
    readonly missing?: string;
  },
): void {
  const place: Place = placeOn(e, {
    mm: stale.mm,
    va: stale.va,
    pfn: stale.pfn,
    ...(claim.newPfn === undefined ? {} : { newPfn: claim.newPfn }),
  });
  const evidence: Evidence[] = [
    {
      seq: stale.seq,
      role: 'cause',
      text: `PTE of ${hexText(stale.pfn)} ${stale.gone ? 'taken away' : 'write-protected'}`,
    },
    ...(stale.deferredSeq > 0 && stale.deferredSeq !== stale.seq
      ? [{ seq: stale.deferredSeq, role: 'context' as const, text: 'flush deferred' }]
      : []),
    { seq: e.seq, role: 'decision', text: claim.text },
  ];
  pending.claim(staleKey(stale.mm, stale.va), {
    severity: claim.severity,
    cause: claim.cause,
    moment: e.seq,
    place,
    values: { deferred: stale.deferredSeq > 0, wasWritable: stale.write },
    evidence,
    missing: claim.missing ?? 'rests on the absence of tlb.flush',
  });
}

/**
 * What shows that a translation was still in use, or at least not flushed before: a flush that comes only now, or a
 * CPU that goes through it where the PTE that is there now would not let it. The end of the mm settles the rest.
 */
export function confirmStale(s: MmState, pending: Pending): readonly KindHook[] {
  /** Seq of the first flush: of what was to be flushed before it nothing is known. */
  let told = Number.POSITIVE_INFINITY;
  return [
    [
      tlbFlush,
      (e) => {
        told = Math.min(told, e.seq);
        if (!pending.any) return;
        const { mm, start, end } = tlbFlush.at;
        const from = e.args[e.at + start]!;
        const range = {
          start: Number.isNaN(from) ? 0 : from,
          end: Number.isNaN(from) ? -1 : e.args[e.at + end]!,
        };
        for (const [key, { place, evidence }] of [...pending.all()]) {
          if (place.mm !== e.args[e.at + mm] || !covers(range, place.address!)) continue;
          if (evidence[0]!.seq > told)
            pending.confirm(key, { seq: e.seq, role: 'harm', text: 'flushed only now' });
          else pending.settle(key);
        }
      },
    ],
    [
      access,
      (e) => {
        const { agent, mm, va, pfn, write } = access.at;
        if (e.args[e.at + agent] !== ACCESS_CPU) return;
        const key = staleKey(e.args[e.at + mm]!, e.args[e.at + va]!);
        const claim = pending.get(key);
        const page = e.args[e.at + pfn]!;
        if (claim === undefined || (claim.place.pfn !== null && claim.place.pfn !== page)) return;
        const writes = e.args[e.at + write] === 1;
        if (isAllowed(s, e.args[e.at + mm]!, e.args[e.at + va]!, page, writes)) return;
        pending.confirm(key, {
          seq: e.seq,
          role: 'harm',
          text: `a CPU goes through the old translation to ${hexText(page)}`,
        });
      },
      pending.wake,
    ],
    [
      mmExit,
      (e) => {
        for (const [key, { place }] of [...pending.all()])
          if (place.mm === e.args[e.at + mmExit.at.mm]) pending.settle(key);
      },
      pending.wake,
    ],
  ];
}
