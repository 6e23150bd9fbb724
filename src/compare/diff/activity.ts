import type { CheckRun, KindHook } from '../../checks/check.ts';
import type { EventKind } from '../../events/declare.ts';
import { FOLL_PIN } from '../../events/flags.ts';
import {
  collapseBegin,
  collapseCopied,
  collapseScan,
  forkPtes,
  gupGrab,
  gupGrabFastEnd,
  gupPut,
  ksmBreak,
  ksmInsert,
  ksmMergeEnd,
  lockRelease,
  migrateDone,
  siGet,
  swapAlloc,
  swapFreeCache,
  swapinBegin,
  swapoffBegin,
  swapRead,
  swapSlotFree,
  swapWrite,
  wpBegin,
} from '../../events/index.ts';
import type { Cursor } from '../../state/cursor.ts';
import type { MmState } from '../../state/state.ts';
import { Tasks } from '../../state/tasks.ts';

/** One thing that is counted: how often a kind of event was seen, or how many pages it was about. */
interface Counter {
  readonly name: string;
  readonly kind: EventKind;
  count(e: Cursor, state: MmState): number;
}

function times(name: string, kind: EventKind): Counter {
  return { name, kind, count: () => 1 };
}

/** GUP references by what they are: pins, or plain references. */
function references(
  name: string,
  kind: typeof gupGrab | typeof gupGrabFastEnd | typeof gupPut,
  pins: boolean,
): Counter {
  const { refs, flags, pfn } = kind.at;
  return {
    name,
    kind,
    count(e) {
      const bits = e.args[e.at + flags]!;
      const taken = e.args[e.at + refs]!;
      if (!(e.args[e.at + pfn]! >= 0) || !(taken > 0) || Number.isNaN(bits)) return 0;
      return ((bits & FOLL_PIN) !== 0) === pins ? taken : 0;
    },
  };
}

/** Page locks by who held them: the task that gives one back is their holder. */
function locks(name: string, holder: 'reclaim' | 'fault' | 'other'): Counter {
  return {
    name,
    kind: lockRelease,
    count(e, state) {
      const task = state.tasks.peek(Tasks.actor(e));
      const found = task !== undefined && task.reclaim !== 0 ? 'reclaim' : task?.fault ? 'fault' : 'other';
      return found === holder ? 1 : 0;
    },
  };
}

/** Everything that is counted, in the order of reports. */
const COUNTERS: readonly Counter[] = [
  times('write faults in do_wp_page', wpBegin),
  times('page-table ranges forked', forkPtes),
  references('pins taken', gupGrab, true),
  references('pins taken, fast walk', gupGrabFastEnd, true),
  references('pins dropped', gupPut, true),
  references('references taken by GUP', gupGrab, false),
  references('references taken by GUP, fast walk', gupGrabFastEnd, false),
  locks('page locks held in reclaim', 'reclaim'),
  locks('page locks held in faults', 'fault'),
  locks('page locks held elsewhere', 'other'),
  times('swap slots taken', swapAlloc),
  times('swap slots given back', swapSlotFree),
  times('pages written to swap', swapWrite),
  times('pages read from swap', swapRead),
  times('swap-in faults', swapinBegin),
  times('swap entries freed at unmap', swapFreeCache),
  times('references to swap devices', siGet),
  times('swapoffs', swapoffBegin),
  times('KSM merges', ksmMergeEnd),
  times('KSM pages made', ksmInsert),
  times('KSM pages broken', ksmBreak),
  times('collapse scans', collapseScan),
  times('collapses begun', collapseBegin),
  times('collapses done', collapseCopied),
  times('pages migrated', migrateDone),
];

/** How often something happened; null where no event of its kind was seen at all, so that 0 is not known. */
export interface ActivityCount {
  readonly name: string;
  readonly count: number | null;
}

/** Counts what a trace did: references and lock holders, swap, KSM, collapse, migration. */
export class Activity {
  readonly #counts = COUNTERS.map(() => 0);
  readonly #seen = COUNTERS.map(() => false);

  watch(state: MmState): CheckRun {
    const before = COUNTERS.map(
      (counter, i): KindHook => [
        counter.kind,
        (e) => {
          this.#seen[i] = true;
          this.#counts[i]! += counter.count(e, state);
        },
      ],
    );
    return { before };
  }

  counts(): ActivityCount[] {
    return COUNTERS.map(({ name }, i) => ({ name, count: this.#seen[i] ? this.#counts[i]! : null }));
  }
}
