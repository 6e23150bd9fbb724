import type { Truth } from '../core/knowledge.ts';
import { CTX_IRQS_OFF, CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../core/records.ts';
import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';
import type { SwapSection } from '../state/swap-sections.ts';
import type { CheckContext } from './check.ts';
import type { Evidence, Place } from './finding.ts';
import { surelyBefore } from './integrity.ts';
import { doubt } from './swap-slots.ts';

/** A probe adds this to the preempt depth that its record shows, at most (seen of fprobes and kprobes with a return). */
const PROBE_DEPTH = 1;

/**
 * Whether the caller of a section held a spinlock throughout, which makes it an RCU reader (domain.md 1.7, e). The
 * preempt depth at entry says so where it is greater than what it is at the entry of swapoff, where no lock is held.
 */
export function lockHeld(s: MmState, section: SwapSection): Truth {
  if ((section.ctx & CTX_KNOWN) === 0) return undefined;
  if (section.ctx & CTX_IRQS_OFF) return true;
  const depth = section.ctx >> CTX_PREEMPT_SHIFT;
  const bare = s.swap.devices.offDepth;
  if (Number.isNaN(bare)) return undefined;
  if (depth > Math.max(PROBE_DEPTH, bare)) return true;
  // Zero says that there is none only where this kernel counts preemption at all.
  return depth === 0 && bare > 0 ? false : undefined;
}

/** A section whose device was torn down before it returned, and what may be said of it. */
export interface Caught {
  readonly section: SwapSection;
  readonly held: Truth;
  readonly got: boolean;
  /** Where nothing is missing, the section surely used the device across its teardown. */
  readonly missing: string | null;
  readonly evidence: readonly Evidence[];
}

/**
 * What is to be said of a section that `end` closed. Null: its device was not torn down meanwhile, or it held a
 * reference that its function may have put before: the record of a return may be late.
 */
export function caughtIn(
  context: CheckContext,
  section: SwapSection,
  end: Cursor,
): Caught | 'unclear' | null {
  if (section.freedSeq === 0 || Number.isNaN(section.gotSeq)) return null;
  // Put before the teardown: it may be inside its function, it is done with the device.
  if (section.putSeq > 0 && section.putSeq < section.freedSeq) return null;
  const s = context.state;
  const held = lockHeld(s, section);
  const got = section.gotSeq > 0;
  // With a spinlock held the return cannot be late by a preemption, and swapoff had to wait for the lock besides.
  if (got && held !== true) return 'unclear';
  const freed = { ns: section.freedNs, cpu: section.freedCpu };
  const ordered =
    surelyBefore(section, { ns: freed.ns, cpu: freed.cpu }, context.skewNs()) &&
    surelyBefore(freed, end, context.skewNs());
  const missing =
    doubt(s) ??
    (ordered ? null : 'the order of two CPUs: declare the clock') ??
    (held === true
      ? null
      : held === false
        ? 'when the function last looked at the device: the record of its return may be late'
        : 'whether a spinlock was held: the preempt depth of the flags column, and a probe on swapoff');
  return { section, held, got, missing, evidence: storyOf(section, end.seq) };
}

/** Evidence of another task than the one at the place. */
function by(actor: { readonly pid: number; readonly cpu: number }, evidence: Evidence): Evidence {
  return { ...evidence, ...actor };
}

/** What happened, in order. What swapoff did is its task's. */
export function storyOf(section: SwapSection, returned: number): Evidence[] {
  const off = { pid: section.freedPid, cpu: section.freedCpu };
  const story: Evidence[] = [
    { seq: section.seq, role: 'context', text: `enters, slot of device ${section.type}` },
  ];
  if (section.droppedSeq > 0)
    story.push({ seq: section.droppedSeq, role: 'context', text: 'drops its count' });
  if (section.unusedSeq > 0)
    story.push(by(off, { seq: section.unusedSeq, role: 'context', text: 'try_to_unuse: none in use' }));
  story.push(by(off, { seq: section.freedSeq, role: 'cause', text: `device ${section.type} torn down` }));
  if (returned > 0) story.push({ seq: returned, role: 'decision', text: 'returns only now' });
  return story.sort((a, b) => a.seq - b.seq);
}

/** Place of a section: its entry. */
export function sectionPlace(section: SwapSection): Place {
  return {
    seq: section.seq,
    ns: section.ns,
    cpu: section.cpu,
    pid: section.pid > 0 ? section.pid : null,
    mm: null,
    address: null,
    pfn: null,
    newPfn: null,
    entry: Number.isNaN(section.entry) ? null : section.entry,
  };
}
