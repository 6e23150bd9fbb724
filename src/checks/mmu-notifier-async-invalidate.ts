import { ACCESS_DEVICE } from '../events/access.ts';
import {
  access,
  mnEnd,
  mnInvalidate,
  mnStart,
  mnStarted,
  pteClearFlush,
  pteSet,
  pteWrite,
  ptlUnlock,
  spteClear,
  spteSet,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { Pending } from './pending.ts';
import { spteKey, tellsSptes } from './secondary-mmu.ts';
import { Waiting } from './waiting.ts';

const ID = 'mmu-notifier-async-invalidate';

/** Events of enum mmu_notifier_event that only take rights away: PROTECTION_VMA, PROTECTION_PAGE, SOFT_DIRTY. */
const KEEPS_MAPPING = [2, 3, 4];

/** A callback that a task runs: what it is to invalidate, and since when. */
interface Call {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  readonly seq: number;
}

export const mmuNotifierAsyncInvalidate: Check = {
  id: ID,
  statement: 'An invalidation returned while a device still mapped what it was to drop.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03: "asynchronous invalidation expectations are invalid"',
  severity: 'high',
  needs: ['mn.start', 'mn.started', 'mn.invalidate', 'spte.set', 'spte.clear'],
  specificity: 3,
  example: `Fires:
  invalidate_page(va) returns       | driver: queued the work
  pte P -> Q                        | spte -> P until the work runs
Silent: a change of protection or an age scan, which drop no mapping
Silent: range_start that could not sleep and returned -EAGAIN`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, mmuNotifierAsyncInvalidate);
    /** Callbacks under way whose return is told by what the task does next. */
    const calls = new Waiting<Call>();
    const returned = (e: Cursor, call: Call): void => {
      context.judged();
      for (const spte of s.secondary.within(call.mm, call.start, call.end)) {
        if (spte.seq > call.seq) continue;
        pending.claim(spteKey(spte.dev, spte.mm, spte.va), {
          severity: 'high',
          cause: 'queued',
          moment: call.seq,
          place: placeOn(e, { mm: spte.mm, va: spte.va, pfn: spte.pfn }),
          values: { device: spte.dev },
          evidence: [
            { seq: spte.seq, role: 'context', text: `device ${spte.dev} maps ${hexText(spte.pfn)}` },
            { seq: call.seq, role: 'cause', text: 'invalidation' },
            { seq: e.seq, role: 'decision', text: 'it has returned, the mapping is still there' },
          ],
          missing: 'rests on the absence of spte.clear: no use of the mapping was told',
        });
      }
    };
    /** The task goes on: its callback has returned. */
    const wentOn = (e: Cursor): void => {
      const self = Tasks.actor(e);
      const call = calls.get(self);
      if (call === undefined) return;
      calls.delete(self);
      returned(e, call);
    };
    const shown = (e: Cursor, dev: number, mm: number, va: number, text: string): void => {
      if (pending.any) pending.confirm(spteKey(dev, mm, va), { seq: e.seq, role: 'harm', text });
    };
    return {
      before: [
        [
          spteClear,
          (e) => {
            const { dev, mm, va } = spteClear.at;
            shown(e, e.args[e.at + dev]!, e.args[e.at + mm]!, e.args[e.at + va]!, 'dropped only now');
          },
        ],
        [
          spteSet,
          (e) => {
            const { dev, mm, va } = spteSet.at;
            pending.settle(spteKey(e.args[e.at + dev]!, e.args[e.at + mm]!, e.args[e.at + va]!));
          },
        ],
        [pteClearFlush, wentOn, calls.wake],
        [pteSet, wentOn, calls.wake],
        [pteWrite, wentOn, calls.wake],
        [ptlUnlock, wentOn, calls.wake],
        [mnEnd, wentOn, calls.wake],
      ],
      after: [
        [
          mnStart,
          (e) => {
            const { mm, start, end, event } = mnStart.at;
            if (!tellsSptes(s)) {
              context.cannot('spte.set');
              return;
            }
            wentOn(e);
            if (KEEPS_MAPPING.includes(e.args[e.at + event]!)) return;
            calls.set(Tasks.actor(e), {
              mm: e.args[e.at + mm]!,
              start: e.args[e.at + start]!,
              end: e.args[e.at + end]!,
              seq: e.seq,
            });
          },
        ],
        [
          mnStarted,
          (e) => {
            // Refused: the caller tries again where it may sleep.
            if (e.args[e.at + mnStarted.at.ret] === 0) wentOn(e);
            else calls.delete(Tasks.actor(e));
          },
        ],
        [
          mnInvalidate,
          (e) => {
            const { mm, start, end } = mnInvalidate.at;
            if (!tellsSptes(s)) return;
            wentOn(e);
            calls.set(Tasks.actor(e), {
              mm: e.args[e.at + mm]!,
              start: e.args[e.at + start]!,
              end: e.args[e.at + end]!,
              seq: e.seq,
            });
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va, pfn } = access.at;
            if (e.args[e.at + agent] !== ACCESS_DEVICE) {
              wentOn(e);
              return;
            }
            for (const spte of s.secondary.at(e.args[e.at + mm]!, e.args[e.at + va]!))
              if (spte.pfn === e.args[e.at + pfn])
                shown(e, spte.dev, spte.mm, spte.va, 'device uses the mapping');
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
