import { sysEnter, sysExit, tlbDefer, tlbFlush } from '../events/index.ts';
import { SYSCALLS } from '../events/task.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { actorOf } from './evidence.ts';
import { Pending } from './pending.ts';
import { claimStale, confirmStale } from './stale-tlb.ts';

/** Calls that take access away from a range of the caller's own: start and length are their first arguments. */
const CALLS: ReadonlyMap<number, string> = new Map(
  (['munmap', 'mprotect', 'mremap'] as const).map((name) => [SYSCALLS.indexOf(name), name]),
);

interface Call {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly seq: number;
}

export const tlbBatchedReclaimRace: Check = {
  id: 'tlb-batched-reclaim-race',
  statement:
    'A system call that takes access away returned while a deferred flush of an address in its range was still due.',
  origin: '3ea277194daa',
  severity: 'high',
  needs: ['tlb.defer', 'tlb.flush', 'sys.enter', 'sys.exit'],
  specificity: 4,
  example: `Fires:
  reclaim: clear pte, defer flush   |
                                    | mprotect(RO): pte none -> no flush, returns
                                    | user store through the cached writable translation
Silent: mprotect calls flush_tlb_batched_pending() first`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, tlbBatchedReclaimRace);
    const calls = new Map<number, Call>();
    return {
      before: [
        ...confirmStale(s, pending),
        [
          sysEnter,
          (e) => {
            const name = CALLS.get(e.args[e.at + sysEnter.at.call]!);
            if (name === undefined) return;
            const start = e.args[e.at + sysEnter.at.a0]!;
            const end = start + e.args[e.at + sysEnter.at.a1]!;
            calls.set(Tasks.actor(e), { name, start, end, seq: e.seq });
          },
        ],
        [
          sysExit,
          (e) => {
            const self = Tasks.actor(e);
            const call = calls.get(self);
            if (call === undefined) return;
            calls.delete(self);
            if (s.sources.seen[tlbDefer.code] === 0 || s.sources.seen[tlbFlush.code] === 0) {
              context.cannot(s.sources.seen[tlbDefer.code] === 0 ? 'tlb.defer' : 'tlb.flush');
              return;
            }
            const mm = actorOf(s, e)?.mm ?? Number.NaN;
            if (Number.isNaN(mm) || e.args[e.at + sysExit.at.ret]! < 0) {
              context.cannot('the mm of the task');
              return;
            }
            context.judged();
            for (const stale of [...s.tlb.all(mm)]) {
              if (stale.va < call.start || stale.va >= call.end) continue;
              // Deferred while the call ran: it may have passed there before.
              if (stale.deferredSeq === 0 || stale.deferredSeq > call.seq) continue;
              claimStale(pending, e, stale, {
                severity: 'high',
                cause: call.name,
                text: `${call.name} returns, deferred flush still due`,
              });
            }
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
