import { isJudgeable, judge } from '../variants/judge.ts';
import { PRESETS } from '../variants/presets.ts';
import type { Variant } from '../variants/variant.ts';
import type { Check } from './check.ts';
import { tellsLives } from './evidence.ts';
import type { Finding, Severity } from './finding.ts';
import { ANOTHER_VARIANT } from './moments.ts';
import { livePin } from './unexpected-cow.ts';
import { evidenceOf, type WriteFault } from './write-fault.ts';

const ID = 'policy-mismatch';

/** More mismatches than this share of at least this many decisions: the trace follows another variant (domain.md 3A). */
const SHARE_OF_ANOTHER_VARIANT = 0.05;
const DECISIONS_FOR_A_SHARE = 50;

function inputsText(fault: WriteFault): string {
  const { exclusive, count, mappings, swapcache, locked, onLru } = fault.d.inputs;
  const words: string[] = [];
  if (exclusive !== undefined) words.push(exclusive ? 'AnonExclusive' : 'not AnonExclusive');
  if (!Number.isNaN(count)) words.push(`refcount ${count}`);
  if (!Number.isNaN(mappings)) words.push(`mapcount ${mappings}`);
  if (swapcache !== undefined) words.push(swapcache ? 'swap cache' : 'no swap cache');
  if (locked !== undefined) words.push(locked ? 'locked by another' : 'lock free');
  if (onLru === false) words.push('off the LRU');
  return words.join(', ');
}

/** Inputs without their numbers: what makes two mismatches the same. */
function inputClass(fault: WriteFault): string {
  const { exclusive, count, mappings, locked } = fault.d.inputs;
  return [
    exclusive === true ? 'exclusive' : 'not exclusive',
    mappings > 1 ? 'shared' : 'one mapping',
    count >= 1024 ? 'pinned' : count > 1 ? 'referenced' : 'sole reference',
    locked === true ? 'locked' : 'lock free or unknown',
  ].join(', ');
}

function severityOf(fault: WriteFault): Severity {
  const { d } = fault;
  if (d.outcome === 'copy' && d.inputs.exclusive === true && livePin(fault)) return 'critical';
  if (d.outcome !== 'reuse') return 'high';
  // Readers and sharers as the state has them may be gone: the counts that the task read must leave room for them.
  const sharers = fault.sharers.length > 0 && d.inputs.mappings > 1;
  const readers =
    fault.gupReferences >= 1 && fault.holds.some((held) => held.own === false && !held.doubtful);
  return sharers || readers ? 'critical' : 'high';
}

export const policyMismatch: Check = {
  id: ID,
  statement:
    'The outcome of a write fault differs from what the declared variant computes from the reconstructed inputs.',
  origin: 'decision procedures of do_wp_page, domain of all five mails',
  severity: 'high; critical where a pinned exclusive page was copied or a shared one reused',
  needs: ['wp.begin', 'wp.copy', 'wp.reuse', 'ref.add'],
  printed: true,
  specificity: 0,
  example: `Fires (against 6.12):
  AnonExclusive page: the kernel copies
  not exclusive, refcount 2 throughout: the kernel reuses
Silent: any input that the variant asks for is unknown`,
  start(context) {
    const declared = context.declared;
    if (declared === null) return {};
    let judgedHere = 0;
    let first: Finding | null = null;
    let differing = 0;
    // Presets that share a rule agree alike.
    const rules = [...new Set(PRESETS.map((variant) => variant.cow))];
    const agreed: number[] = rules.map(() => 0);
    const differed: number[] = rules.map(() => 0);
    const agreedWith = (variant: Variant): number => agreed[rules.indexOf(variant.cow)]!;
    return {
      decided(fault) {
        const { d } = fault;
        if (!isJudgeable(d)) return;
        for (let i = 0; i < rules.length; i++) {
          const its = judge(rules[i]!, d).agreement;
          if (its === 'agrees') agreed[i]!++;
          else if (its === 'differs') differed[i]!++;
        }
        const { agreement, ruling } = judge(declared.cow, d);
        if (agreement === 'unknown' || d.outcomeBy === 'absence' || d.outcomeBy === 'none') {
          context.cannot(ruling.missing[0] ?? 'outcome');
          return;
        }
        context.judged();
        judgedHere++;
        if (agreement === 'agrees') return;
        differing++;
        // Memory of tmpfs, in a page that was anonymous before and was freed unseen, is written in place as a matter of course.
        const certain = d.outcome !== 'reuse' || d.wp.test !== null || tellsLives(context.state);
        const finding: Finding = {
          check: ID,
          severity: severityOf(fault),
          verdict: certain ? 'proven' : 'suspect',
          cause: inputClass(fault),
          moment: d.seq,
          place: fault.place,
          values: {
            ...fault.values,
            variant: declared.id,
            observed: d.outcome,
            expected: ruling.outcome,
            reason: ruling.reason,
            inputs: inputsText(fault),
          },
          evidence: evidenceOf(fault),
          missing: certain ? null : 'page.free: whether it is still the page that was anonymous',
        };
        first ??= finding;
        context.report(finding);
      },
      finish() {
        if (
          first === null ||
          judgedHere < DECISIONS_FOR_A_SHARE ||
          differing <= judgedHere * SHARE_OF_ANOTHER_VARIANT
        )
          return;
        // Of presets that explain as much the newest is the nearest.
        const best = PRESETS.reduce((a, b) => (agreedWith(b) >= agreedWith(a) ? b : a));
        // Another one is named only if the trace follows it: not where it explains a decision more by chance.
        if (differed[rules.indexOf(best.cow)]! > judgedHere * SHARE_OF_ANOTHER_VARIANT) return;
        context.report({
          ...first,
          cause: ANOTHER_VARIANT,
          moment: -1,
          values: {
            variant: declared.id,
            best: best.id,
            bestAgreed: agreedWith(best),
            judged: judgedHere,
            differing,
          },
          evidence: first.evidence.filter((item) => item.role === 'decision'),
        });
      },
    };
  },
};
