import { distributionTracepoints } from './distribution.ts';
import { distribution61Tracepoints } from './distribution-6-1.ts';
import { distribution612Tracepoints } from './distribution-6-12.ts';
import { distribution72Tracepoints } from './distribution-7-2.ts';
import { eventLine } from './event-lines.ts';
import { exceptionTracepoints } from './exceptions.ts';
import { hugeMemoryTracepoints } from './huge-memory.ts';
import { kmemTracepoints } from './kmem.ts';
import { silentTracepoints, unprinted } from './known-silent.ts';
import { ksmTracepoints } from './ksm.ts';
import { kvmTracepoints } from './kvm.ts';
import { migrateTracepoints } from './migrate.ts';
import { pageRefTracepoints } from './page-ref.ts';
import { pagemapTracepoints } from './pagemap.ts';
import { richFaultTracepoints } from './rich-faults.ts';
import { richKprobeTracepoints } from './rich-kprobes.ts';
import { richPageTracepoints } from './rich-pages.ts';
import { richSwapTracepoints } from './rich-swap.ts';
import { schedTracepoints } from './sched.ts';
import { rawSyscallTracepoints, syscallTracepoints } from './syscalls.ts';
import { taskTracepoints } from './task.ts';
import { tlbTracepoints } from './tlb.ts';
import { silent, type Tracepoint } from './tracepoint.ts';
import { vmscanTracepoints } from './vmscan.ts';

/** Tracepoints of mainline kernels. Adding one: declare it in its system's file. */
export const KERNEL_TRACEPOINTS: readonly Tracepoint[] = [
  ...pageRefTracepoints,
  ...kmemTracepoints,
  ...pagemapTracepoints,
  ...vmscanTracepoints,
  ...hugeMemoryTracepoints,
  ...migrateTracepoints,
  ...ksmTracepoints,
  ...exceptionTracepoints,
  ...schedTracepoints,
  ...taskTracepoints,
  ...tlbTracepoints,
  ...kvmTracepoints,
  ...rawSyscallTracepoints,
];

/** Probes of the packs. Adding one: declare it in its pack's file. */
export const PROBES: readonly Tracepoint[] = [
  ...richFaultTracepoints,
  ...richPageTracepoints,
  ...richSwapTracepoints,
  ...richKprobeTracepoints,
  ...distributionTracepoints,
  ...distribution612Tracepoints,
  ...distribution72Tracepoints,
  ...distribution61Tracepoints,
];

/** Every tracepoint and probe that faultline knows; of one name the first that fits a record is meant. */
export const TRACEPOINTS: readonly Tracepoint[] = [
  eventLine,
  ...KERNEL_TRACEPOINTS,
  ...PROBES,
  unprinted,
  ...silentTracepoints,
  // Last of its name: the tracepoint, where no probe of that name fits.
  silent('exit_mmap'),
];

const BY_EVENT = new Map<string, Tracepoint[]>();
for (const tracepoint of TRACEPOINTS) {
  const known = BY_EVENT.get(tracepoint.event);
  if (known === undefined) BY_EVENT.set(tracepoint.event, [tracepoint]);
  else known.push(tracepoint);
}

/** What records of this name may be, in the order in which to try; empty: unknown. */
export function tracepointsOf(event: string): readonly Tracepoint[] {
  return BY_EVENT.get(event) ?? (event.startsWith('sys_') ? syscallTracepoints(event) : []);
}
