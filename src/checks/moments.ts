import { fingerprint } from '../core/fingerprint.ts';
import type { Check } from './check.ts';
import {
  type Consequence,
  type Divergence,
  type Finding,
  type Place,
  SEVERITIES,
  type Verdict,
} from './finding.ts';

/** Cause of the one finding that says so of the trace as a whole. */
export const ANOTHER_VARIANT = 'another-variant';

/** Moments held open for the findings of other checks: each page of a collapse is one, and all of them end together. */
const MOMENTS_OPEN = 1024;

/** Members that a group lists. */
const MEMBERS_LISTED = 1000;

/** Values that make the input class of a fingerprint: what the page was, and never which page. */
const CLASS_VALUES = ['exclusive', 'pinned', 'swapcache', 'ksm', 'locked'];

function inputClass({ values }: Finding): string[] {
  return CLASS_VALUES.filter((name) => values[name] === true);
}

interface Group {
  head: Finding;
  consequences: Consequence[];
  verdict: Verdict;
  count: number;
  lastSeq: number;
  readonly members: Place[];
  readonly key: string;
}

/**
 * Gathers findings into divergences: checks that fire on one moment are one divergence, and the same divergence on
 * other pages or tasks is one group (product.md). Findings of a moment arrive soon after each
 * other; only so many moments are held open, so memory grows with groups and not with findings.
 */
export class Moments {
  readonly #specificity: ReadonlyMap<string, number>;
  readonly #groups = new Map<string, Group>();
  readonly #open = new Map<number, Finding[]>();

  constructor(checks: readonly Check[]) {
    this.#specificity = new Map(checks.map((check) => [check.id, check.specificity]));
  }

  /** Adds a finding. */
  add(finding: Finding): void {
    const open = this.#open.get(finding.moment);
    if (open !== undefined) {
      open.push(finding);
      return;
    }
    this.#open.set(finding.moment, [finding]);
    if (this.#open.size <= MOMENTS_OPEN) return;
    for (const oldest of this.#open.keys()) {
      this.#close(oldest);
      return;
    }
  }

  #rank(a: Finding, b: Finding): number {
    // That the whole trace follows other rules heads the list: it explains what stands beneath it.
    if ((a.cause === ANOTHER_VARIANT) !== (b.cause === ANOTHER_VARIANT))
      return a.cause === ANOTHER_VARIANT ? -1 : 1;
    const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
    if (severity !== 0) return severity;
    if (a.verdict !== b.verdict) return a.verdict === 'proven' ? -1 : 1;
    return (this.#specificity.get(b.check) ?? 0) - (this.#specificity.get(a.check) ?? 0);
  }

  #close(moment: number): void {
    const findings = (this.#open.get(moment) ?? []).sort((a, b) => this.#rank(a, b));
    this.#open.delete(moment);
    const head = findings[0];
    if (head === undefined) return;
    // The cause is the moment's: the most specific check that names one for the copy itself.
    const cause = findings.find((finding) => finding.check.startsWith('unexpected-cow'))?.cause ?? head.cause;
    const key = [
      head.check,
      head.verdict,
      head.severity,
      cause,
      ...findings.slice(1).map((finding) => `${finding.check} ${finding.verdict} ${finding.severity}`),
    ].join(' / ');
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#groups.set(key, {
        head: { ...head, cause },
        consequences: findings.slice(1).map((finding) => ({
          check: finding.check,
          severity: finding.severity,
          verdict: finding.verdict,
          evidence: finding.evidence,
        })),
        verdict: head.verdict,
        count: 1,
        lastSeq: head.place.seq,
        members: [head.place],
        key,
      });
      return;
    }
    group.count++;
    group.lastSeq = head.place.seq;
    if (group.members.length < MEMBERS_LISTED) group.members.push(head.place);
  }

  /** All divergences, worst first, then by first seq. */
  divergences(): Divergence[] {
    for (const moment of [...this.#open.keys()]) this.#close(moment);
    const groups = [...this.#groups.values()].sort(
      (a, b) => this.#rank(a.head, b.head) || a.head.place.seq - b.head.place.seq,
    );
    return groups.map((group, i) => ({
      id: `d${i + 1}`,
      check: group.head.check,
      severity: group.head.severity,
      verdict: group.verdict,
      cause: group.head.cause,
      count: group.count,
      firstSeq: group.members[0]!.seq,
      lastSeq: group.lastSeq,
      members: group.members,
      place: group.head.place,
      values: group.head.values,
      evidence: group.head.evidence,
      missing: group.head.missing,
      consequences: group.consequences,
      fingerprint: fingerprint([group.head.check, group.head.cause, ...inputClass(group.head)].join(' / ')),
    }));
  }
}
