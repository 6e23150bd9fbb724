import { describe, expect, test } from 'vitest';
import type { Divergence, Evidence, Place } from '../../src/checks/finding.ts';
import type { Analysis } from '../../src/replay/analysis.ts';
import { analyzeText, capture, textOf } from './capture-text.ts';
import { type Renaming, renaming } from './renaming.ts';

/** What an analysis says, without the facts of the input that a renaming changes (names of tasks, times). */
function said({ variant, auto, coverage, divergences, decisions, fidelity }: Analysis): object {
  return { variant, auto, coverage, divergences, decisions, fidelity };
}

function rename(analysis: Analysis, to: Renaming): object {
  const known = (value: number | null, map: (value: number) => number): number | null =>
    value === null ? null : map(value);
  const place = (at: Place): Place => ({
    ...at,
    pid: known(at.pid, to.pid),
    mm: known(at.mm, to.pointer),
    address: known(at.address, to.address),
    pfn: known(at.pfn, to.pfn),
    newPfn: known(at.newPfn, to.pfn),
    entry: known(at.entry, to.entry),
  });
  const evidence = (items: readonly Evidence[]): Evidence[] =>
    items.map((item) => ({
      ...item,
      text: item.text.replace(/0x[0-9a-f]+/g, (hex) => `0x${to.pfn(Number(hex)).toString(16)}`),
    }));
  const values = (of: Divergence['values']): Divergence['values'] => {
    const renamed = { ...of };
    for (const key of ['holder', 'pinner', 'reader'])
      if (typeof renamed[key] === 'number') renamed[key] = to.pid(renamed[key]);
    return renamed;
  };
  const divergences = analysis.divergences.map((d) => ({
    ...d,
    place: place(d.place),
    members: d.members.map(place),
    values: values(d.values),
    evidence: evidence(d.evidence),
    consequences: d.consequences.map((c) => ({ ...c, evidence: evidence(c.evidence) })),
  }));
  const byTask = analysis.decisions.byTask.map((task) => ({ ...task, pid: to.pid(task.pid) }));
  return said({ ...analysis, divergences, decisions: { ...analysis.decisions, byTask } });
}

/** Tasks with equally many decisions stand in the order of their pids. */
function inOneOrder(analysis: Analysis): Analysis {
  const byTask = [...analysis.decisions.byTask].sort(
    (a, b) => b.reuse + b.copy + b.other - (a.reuse + a.copy + a.other) || a.pid - b.pid,
  );
  return { ...analysis, decisions: { ...analysis.decisions, byTask } };
}

describe.each(['V1-pin-guptest', 'V2-pin-guptest'])('%s', (name) => {
  test.each([1, 2, 3])(
    'says the same of other pids, pages, addresses, times and names (seed %i)',
    async (seed) => {
      const original = capture(name);
      const before = await analyzeText(textOf(original.head, original.lines), '6.12');
      const to = renaming(seed);
      const text = to.text(original);
      const after = await analyzeText(text, '6.12');
      expect(after.trace.records).toBe(before.trace.records);
      expect(after.trace.originNs - before.trace.originNs).toBe(BigInt(to.shiftNs));
      const expected = rename(before, to) as Analysis;
      expect(said(inOneOrder(after))).toEqual(said(inOneOrder(expected)));
      // And it is another trace: not one pid, page or address of the first finding is what it was.
      const [was, is] = [before.divergences[0]!.place, after.divergences[0]!.place];
      expect([is.pid, is.pfn, is.address, is.mm]).not.toContain(was.pid);
      expect(is.pfn).not.toBe(was.pfn);
      expect(is.address).not.toBe(was.address);
      expect(is.mm).not.toBe(was.mm);
    },
  );
});
