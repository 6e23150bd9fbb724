import type { Divergence, Place } from '../checks/finding.ts';
import type { Analysis } from '../replay/analysis.ts';

/** What a reader wants to see of an analysis; null: everything. */
export interface Scope {
  readonly pid: number | null;
  readonly comm: string | null;
  readonly mm: number | null;
}

/**
 * An analysis that reports only the divergences with a member in scope. A group stays whole: its evidence is that of
 * its first member, and its count is that of the trace; only `members` are those in scope.
 */
export function narrow(analysis: Analysis, scope: Scope): Analysis {
  if (scope.pid === null && scope.comm === null && scope.mm === null) return analysis;
  const comms = new Map(analysis.trace.tasks.map((task) => [task.pid, task.comm]));
  const inside = (place: Place): boolean =>
    (scope.pid === null || place.pid === scope.pid) &&
    (scope.mm === null || place.mm === scope.mm) &&
    (scope.comm === null || (place.pid !== null && comms.get(place.pid) === scope.comm));
  const divergences = analysis.divergences.flatMap((found): Divergence[] => {
    const members = found.members.filter(inside);
    return members.length === 0 ? [] : [{ ...found, members }];
  });
  return { ...analysis, divergences };
}
