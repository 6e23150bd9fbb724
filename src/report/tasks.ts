import type { TraceFacts } from '../replay/analysis.ts';
import { escapeText } from './escape.ts';

/** Names of the tasks of a trace. */
export interface TaskNames {
  /** The name as it stands in the trace, or null. */
  comm(pid: number): string | null;
  /** `app/4711` as people write it, safe to print; `pid 4711` where the name is not known. */
  label(pid: number | null): string;
}

/** Looks tasks up by pid. */
export function taskNames(trace: TraceFacts): TaskNames {
  const byPid = new Map(trace.tasks.map((task) => [task.pid, task.comm]));
  return {
    comm: (pid) => byPid.get(pid) ?? null,
    label(pid) {
      if (pid === null) return 'an unknown task';
      const comm = byPid.get(pid);
      return comm === undefined || comm === '' ? `pid ${pid}` : `${escapeText(comm)}/${pid}`;
    },
  };
}
