import type { MmState } from './state.ts';
import type { Task } from './tasks.ts';
import type { StateScope } from './view.ts';

/** A function that a task has entered and not left. */
export interface BracketView {
  readonly what: string;
  readonly mm: number | null;
  readonly address: number | null;
  readonly pfn: number | null;
  readonly since: number;
}

/** A task in the middle of something. */
export interface TaskView {
  /** -1 less the CPU: its idle task; from -1000 down: its interrupts. */
  readonly pid: number;
  readonly mm: number | null;
  readonly lastSeq: number;
  readonly brackets: readonly BracketView[];
  /** Page whose unlock it announced in its last record: still its lock. */
  readonly unlocking: number | null;
  /** Ways in which it is reclaiming. */
  readonly reclaim: readonly string[];
}

/** By RECLAIM_* code. */
const CONTEXTS = ['direct', 'kswapd', 'memcg', 'reclaim_pages', 'shrink_folio_list', 'node'];

const FAULTS: Readonly<Record<string, string>> = {
  fault: 'page fault',
  anon: 'anonymous fault',
  swapin: 'swap-in',
  wp: 'write fault (do_wp_page)',
  unuse: 'swapoff of one PTE',
  mig: 'migration',
  'huge-wp': 'huge-page write fault',
};

function known(value: number): number | null {
  return Number.isNaN(value) || value === -1 ? null : value;
}

function bracketsOf(task: Task): BracketView[] {
  const found: BracketView[] = [];
  const add = (
    what: string,
    at: { readonly mm: number; readonly va: number; readonly seq: number } | null,
    pfn = Number.NaN,
  ): void => {
    if (at !== null)
      found.push({ what, mm: known(at.mm), address: known(at.va), pfn: known(pfn), since: at.seq });
  };
  for (let at = task.fault; at !== null; at = at.outer) {
    const page = 'pfn' in at ? (at.pfn as number) : Number.NaN;
    add(FAULTS[at.kind] ?? at.kind, at, page);
  }
  add('fork of PTEs', task.forkPtes);
  add('unmapping of a range', task.zap);
  add('unmapping of a page', task.unmap, task.unmap?.pfn);
  add('clearing of a PTE', task.clearFlush);
  add('collapse', task.collapse);
  add('split of a PMD', task.split);
  for (let gup = task.gup; gup !== null; gup = gup.outer)
    add('get_user_pages', { mm: gup.mm, va: gup.start, seq: gup.seq });
  return found.sort((a, b) => a.since - b.since);
}

/** Tasks that are in the middle of a function, or reclaim. */
export function viewTasks(s: MmState, scope: StateScope): TaskView[] {
  const found: TaskView[] = [];
  for (const task of s.tasks.all()) {
    if (scope.pid !== null && task.pid !== scope.pid) continue;
    const brackets = bracketsOf(task);
    if (scope.mm !== null && task.mm !== scope.mm && !brackets.some(({ mm }) => mm === scope.mm)) continue;
    if (scope.pfn !== null && task.unlocking !== scope.pfn && !brackets.some(({ pfn }) => pfn === scope.pfn))
      continue;
    const reclaim = CONTEXTS.filter((_, how) => task.reclaim & (1 << how));
    if (scope.pid === null && brackets.length === 0 && reclaim.length === 0 && !(task.unlocking >= 0))
      continue;
    found.push({
      pid: task.pid,
      mm: known(task.mm),
      lastSeq: task.lastSeq,
      brackets,
      unlocking: task.unlocking >= 0 ? task.unlocking : null,
      reclaim,
    });
  }
  return found.sort((a, b) => a.pid - b.pid);
}

/** What keeps the whole state from being known, as sentences. */
export function limitsOf(s: MmState): string[] {
  const limits: string[] = [];
  if (s.blind)
    limits.push(
      `${s.cpus.size} of ${s.cpusExpected} CPUs have a surviving record so far: what the others do is not in the trace, so no PTE and no count is sure`,
    );
  if (s.lossy)
    limits.push(`records were lost: nothing from before seq ${s.horizon} is known unless told again`);
  if (s.sources.untoldForks)
    limits.push(
      'a process was forked and no probe told which PTEs its child got: mappings may have come unseen',
    );
  if (s.sources.filtered) limits.push('page_ref is filtered: counts of pages are samples, not histories');
  return limits;
}
