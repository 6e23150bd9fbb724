import {
  siFreed,
  siGot,
  swapFreeCacheEnd,
  swapinEnd,
  swapoffBegin,
  swapReadAsyncEnd,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { SwapSection } from '../state/swap-sections.ts';
import type { Check } from './check.ts';
import { caughtIn, lockHeld, sectionPlace, storyOf } from './device-use.ts';

const ID = 'swapoff-unprotected-si-use';

export const swapoffUnprotectedSiUse: Check = {
  id: ID,
  statement:
    'A swap device was used, or torn down under its user, without anything that makes swapoff wait: no reference to it, no lock or RCU section that counts.',
  origin: 'Ryan Roberts and David Hildenbrand, 2024-03-04; 82b1c07a0af6, eb085574a752',
  severity:
    'high if the device was torn down while the function was inside; else warning: of a use without reference and lock, or under a lock where the declared variant has swapoff=window',
  needs: ['swap.free-cache.begin', 'swap.free-cache.end', 'si.got', 'si.off.begin', 'si.freed'],
  printed: true,
  specificity: 3,
  example: `Fires (4.11 to 5.2):
  free_swap_and_cache(e), PTL held  |
  count e -> HAS_CACHE              |
                                    | swapoff: inuse 0, frees swap_map
  looks at the device, returns      |
Silent: get_swap_device held: swapoff waits until it is put
Silent: the device was torn down before the function was entered`,
  start(context) {
    const s = context.state;
    let sections = 0;

    function unprotected(section: SwapSection, returned: number): void {
      const rule = context.declared?.axes.swapoff.id ?? null;
      const held = lockHeld(s, section);
      if (rule === 'locked' || section.gotSeq !== 0) return;
      if (held !== false && rule !== 'window') return;
      context.report({
        check: ID,
        severity: 'warning',
        verdict: 'suspect',
        cause: held === true ? 'lock-that-nobody-waits-for' : 'no-protection',
        moment: section.seq,
        place: sectionPlace(section),
        values: { type: section.type, held: held ?? null, torn: false, offTask: null, got: false },
        evidence: [
          {
            seq: section.seq,
            role: 'decision',
            text: `uses swap device ${section.type} without a reference`,
          },
          { seq: returned, role: 'context', text: 'returns' },
        ],
        missing: 'a success of get_swap_device inside: this rests on its absence',
      });
    }

    function onReturn(e: Cursor): void {
      const section = s.swap.sections.closedAt(e.seq);
      if (section === null) {
        if (e.kind === swapFreeCacheEnd.code) context.cannot('swap.free-cache.begin');
        return;
      }
      if (section.of !== 'free-cache' && !(section.gotSeq > 0)) return;
      const caught = caughtIn(context, section, e);
      if (caught === 'unclear') {
        context.cannot('when the device was put: a probe on put_swap_device');
        return;
      }
      if (section.of === 'free-cache') sections++;
      if (caught === null) {
        if (section.of === 'free-cache') unprotected(section, e.seq);
        return;
      }
      context.report({
        check: ID,
        severity: 'high',
        verdict: caught.missing === null ? 'proven' : 'suspect',
        cause: 'torn-down-inside',
        moment: section.seq,
        place: sectionPlace(section),
        values: {
          type: section.type,
          held: caught.held ?? null,
          torn: true,
          offTask: section.freedPid,
          got: caught.got,
        },
        evidence: caught.evidence,
        missing: caught.missing,
      });
    }

    return {
      after: [
        [swapFreeCacheEnd, onReturn],
        [swapinEnd, onReturn],
        [swapReadAsyncEnd, onReturn],
      ],
      finish() {
        for (const open of s.swap.sections.open) {
          if (open.of !== 'free-cache' || open.freedSeq === 0) continue;
          context.report({
            check: ID,
            severity: 'high',
            verdict: 'suspect',
            cause: 'torn-down-inside',
            moment: open.seq,
            place: sectionPlace(open),
            values: {
              type: open.type,
              held: lockHeld(s, open) ?? null,
              torn: true,
              offTask: open.freedPid,
              got: open.gotSeq > 0,
            },
            evidence: storyOf(open, 0),
            missing: 'the return of the function: the trace ends before it',
          });
        }
        const { seen } = s.sources;
        const untold =
          seen[siFreed.code] === 0 && seen[swapoffBegin.code] === 1
            ? siFreed.name
            : seen[siGot.code] === 0 && seen[siFreed.code] === 0
              ? siGot.name
              : null;
        for (let i = 0; i < sections; i++) {
          if (untold === null) context.judged();
          else context.cannot(untold);
        }
      },
    };
  },
};
