import { PIN_BIAS } from '../events/flags.ts';
import type { Check } from './check.ts';
import { surelyBefore } from './integrity.ts';
import { evidenceOf } from './write-fault.ts';

const ID = 'cow-leak-through-gup-ref';

export const cowLeakThroughGupRef: Check = {
  id: ID,
  statement:
    'A page was reused in place while another process holds a GUP reference to it: that process can read what is written from now on.',
  origin: 'CVE-2020-29374; 17839856fd58',
  severity: 'critical (information leak)',
  needs: ['wp.begin', 'wp.reuse', 'gup.grab', 'ref.add'],
  printed: true,
  specificity: 5,
  example: `Fires (2.6.29 to 5.7):
  fork; P shared                    | child: vmsplice(P) ref ; munmap (map 1)
  parent writes: sum==1 -> reuse    | child: read(pipe) sees the parent's new data
Silent (5.9): ref 2 -> copy
Silent: the reference was taken by the parent itself`,
  start(context) {
    return {
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || d.page !== 'anon') return;
        const foreign = fault.holds.filter((held) => Number.isNaN(held.mm) === false && held.mm !== d.mm);
        const first = foreign.at(-1);
        if (first === undefined) {
          if (fault.holds.some((held) => Number.isNaN(held.mm))) context.cannot('the mm of a GUP reference');
          else context.judged();
          return;
        }
        const others = fault.holds.length - foreign.length;
        const room = fault.gupReferences - others;
        if (Number.isNaN(room)) {
          context.cannot('ref.add');
          return;
        }
        context.judged();
        if (!first.pin && room <= 0) return;
        const ordered = surelyBefore(first, d, context.skewNs());
        const whole = !context.state.lossy && !context.state.blind;
        // The counts must be the faulting task's own readings: what was folded may lack records that nothing announced.
        const told = d.inputs.countTold && d.inputs.mappingsTold;
        const held = first.pin ? !first.doubtful && d.inputs.count >= PIN_BIAS : room >= 1;
        // An exclusive page has been its mm's alone: a plain reference through another may be one whose put has no label.
        const alone = d.inputs.exclusive === true && !first.pin;
        // Whose mm a walk went through is known by its task: one that runs on this mm may have done so then.
        const foreigner = context.state.tasks.peek(first.pid)?.mm !== d.mm;
        // The count of a large folio is that of all its pages.
        const small = d.inputs.large !== true;
        const certain = told && held && whole && ordered && !alone && foreigner && small;
        context.report({
          check: ID,
          severity: 'critical',
          verdict: certain ? 'proven' : 'suspect',
          cause: 'foreign-reference',
          moment: d.seq,
          place: fault.place,
          values: { ...fault.values, reader: first.pid },
          evidence: [
            { seq: first.seq, role: 'cause', text: 'reference taken through another mm' },
            ...evidenceOf(fault).filter((item) => item.seq !== first.seq),
          ],
          missing: certain
            ? null
            : !told || !small
              ? 'the counts of the page at the reuse'
              : !ordered
                ? 'the order of two CPUs'
                : !foreigner
                  ? 'the mm of the walk: its task runs on this one'
                  : alone
                    ? 'how an exclusive page came to a reference through another mm'
                    : 'the put of the reference',
        });
      },
    };
  },
};
