import { entryType } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import {
  siFreed,
  siRange,
  siUse,
  swapEntryFree,
  swapFreeCacheEnd,
  swaponBegin,
  swapReclaim,
  swapSlotFree,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { caughtIn, sectionPlace } from './device-use.ts';
import { surelyBefore } from './integrity.ts';
import { doubt, slotPlace } from './swap-slots.ts';

const ID = 'swapoff-uaf-si';
const ACCESS = 'a probe on the access itself (swap_map, clusters), or an oops in the trace';

export const swapoffUafSi: Check = {
  id: ID,
  statement: 'A swap device (swap_info, swap_map, clusters) was used after swapoff freed it.',
  origin: 'Ryan Roberts and David Hildenbrand, 2024-03-04; 82b1c07a0af6 (CVE-2024-26960), eb085574a752',
  severity: 'critical',
  needs: ['swap.free-cache.begin', 'swap.free-cache.end', 'swap.entry-free', 'si.freed', 'si.on.begin'],
  specificity: 4,
  example: `Fires:
  P1 exit: count e0 -> HAS_CACHE    | P2 exit: count e1 -> HAS_CACHE
  (preempted)                       | reclaims the folio: inuse 0
                                    | swapoff: nothing in use, frees swap_map
  looks at swap_map[e0]             |
Silent: P1 preempted before its decrement: inuse stays 1
Silent: get_swap_device held: swapoff waits for its users`,
  start(context) {
    const s = context.state;
    /** First use of the device by a task inside a section, after the teardown. By pid. */
    const used = new Map<number, number>();
    let sections = 0;

    /** A function that was given the device itself looks at it: its record follows from si->type. */
    const uses = (
      kind: EventKind,
      entryAt: number,
      applies: (e: Cursor) => boolean = () => true,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        const entry = e.args[e.at + entryAt]!;
        if (Number.isNaN(entry) || !applies(e)) return;
        const device = s.swap.devices.peek(entryType(entry));
        if (device === undefined || device.phase !== 'freed' || device.freedSeq === 0) return;
        const pid = Tasks.actor(e);
        if (pid === device.freedPid) return;
        const freed = { ns: device.freedNs, cpu: device.freedCpu };
        if (!surelyBefore(freed, e, context.skewNs())) {
          context.cannot('the order of two CPUs');
          return;
        }
        const section = s.swap.sections.innermost(pid);
        if (section?.of === 'free-cache' && section.freedSeq > 0) {
          if (!used.has(pid)) used.set(pid, e.seq);
          return;
        }
        context.judged();
        const missing =
          doubt(s) ??
          (s.sources.seen[swaponBegin.code] === 0 ? 'si.on.begin: whether it was turned on again' : null);
        context.report({
          check: ID,
          severity: 'critical',
          verdict: missing === null ? 'proven' : 'suspect',
          cause: 'used-after-teardown',
          moment: e.seq,
          place: slotPlace(e, entry),
          values: { type: device.type, offTask: device.freedPid, use: kind.name },
          evidence: [
            { seq: device.freedSeq, role: 'cause', text: `swap device ${device.type} torn down` },
            { seq: e.seq, role: 'decision', text: `${kind.name} on it` },
          ],
          missing,
        });
      },
    ];

    return {
      before: [
        uses(swapEntryFree, swapEntryFree.at.entry),
        uses(swapSlotFree, swapSlotFree.at.entry),
        uses(siUse, siUse.at.entry),
        uses(swapReclaim, swapReclaim.at.entry),
        uses(siRange, siRange.at.entry, (e) => e.args[e.at + siRange.at.alloc] === 0),
      ],
      after: [
        [
          swapFreeCacheEnd,
          (e) => {
            const section = s.swap.sections.closedAt(e.seq);
            if (section === null) return;
            const use = used.get(section.pid) ?? 0;
            used.delete(section.pid);
            const caught = caughtIn(context, section, e);
            if (caught === 'unclear') {
              context.cannot(ACCESS);
              return;
            }
            sections++;
            if (caught === null) return;
            const missing = caught.missing ?? (use > 0 ? null : ACCESS);
            context.report({
              check: ID,
              severity: 'critical',
              verdict: missing === null ? 'proven' : 'suspect',
              cause: use > 0 ? 'used-after-teardown' : 'inside-at-teardown',
              moment: e.seq,
              place: sectionPlace(section),
              values: { type: section.type, offTask: section.freedPid, use: use > 0 ? 'inside' : null },
              evidence:
                use > 0
                  ? [
                      ...caught.evidence.filter((item) => item.seq < use),
                      { seq: use, role: 'harm', text: 'uses the device that is gone' },
                      ...caught.evidence.filter((item) => item.seq > use),
                    ]
                  : caught.evidence,
              missing,
            });
          },
        ],
      ],
      finish() {
        for (let i = 0; i < sections; i++) {
          if (s.sources.seen[siFreed.code] === 1) context.judged();
          else context.cannot(siFreed.name);
        }
      },
    };
  },
};
