import { eventKind } from '../events/registry.ts';
import { KERNEL_TRACEPOINTS, PROBES } from './index.ts';
import { syscallTracepoints } from './syscalls.ts';
import type { Tracepoint } from './tracepoint.ts';

/** What gives a kind of event: a tracepoint of mainline kernels, a probe of a pack, or nothing that captures it. */
export type Giver = 'tracepoint' | 'probe' | 'nothing';

function statedBy(tracepoints: readonly Tracepoint[]): ReadonlySet<string> {
  return new Set(tracepoints.flatMap(({ states }) => states.map(({ name }) => name)));
}

const BY_TRACEPOINT = statedBy([
  ...KERNEL_TRACEPOINTS,
  ...syscallTracepoints('sys_enter_madvise'),
  ...syscallTracepoints('sys_exit_madvise'),
]);
const BY_PROBE = statedBy(PROBES);

/** What gives a kind of event, by its name; null for what is no kind of event, such as the history of a page. */
export function giverOf(kind: string): Giver | null {
  if (eventKind(kind) === undefined) return null;
  if (BY_TRACEPOINT.has(kind)) return 'tracepoint';
  return BY_PROBE.has(kind) ? 'probe' : 'nothing';
}
