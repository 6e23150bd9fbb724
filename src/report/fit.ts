import type { AxisFit, Fit } from '../compare/fit.ts';
import { count } from './format.ts';
import type { Json } from './json.ts';
import { labelled } from './layout.ts';
import type { Style } from './style.ts';

/** What an axis decides, in a word or two. */
const DECIDES: Readonly<Record<AxisFit['axis'], string>> = {
  cow: 'write faults',
  ksm: 'write faults on KSM pages',
  'swapin-reuse': 'swap-ins',
  collapse: 'collapses',
  swapoff: 'swap frees',
  fork: 'forks of pinned pages',
};

function share(agreed: number, judged: number): string {
  return `${count(agreed)} of ${count(judged)}`;
}

function explained(fit: Fit): string {
  const parts = fit.search.axes.map(
    (axis) => `${share(axis.baseAgreed, axis.baseJudged)} ${DECIDES[axis.axis]}`,
  );
  return `${fit.search.base} explains ${parts.join(', ')}`;
}

function found(fit: Fit): string | null {
  if (fit.search.id === fit.search.base) return null;
  const parts = fit.search.axes
    .filter((axis) => fit.search.id.includes(`${axis.axis}=${axis.value}`))
    .map((axis) => {
      const also = axis.also.length === 0 ? '' : ` (so do ${axis.also.join(', ')})`;
      return `${axis.axis}=${axis.value} explains ${share(axis.agreed, axis.judged)} ${DECIDES[axis.axis]}${also}`;
    });
  return `${fit.search.id}: ${parts.join('; ')}`;
}

/** Presets that the same decisions contradict, together. */
function against(fit: Fit): string {
  const groups = new Map<string, string[]>();
  for (const { id, axis, differed, judged, firstSeq } of fit.contradicted) {
    const how = `${axis}: ${share(differed, judged)}, first at seq ${firstSeq}`;
    groups.set(how, [...(groups.get(how) ?? []), id]);
  }
  return [...groups].map(([how, ids]) => `${ids.join(', ')} (${how})`).join('; ');
}

/** Which presets the trace follows, which not, and which axis values explain it best. Empty without a decision. */
export function fitSection(fit: Fit | null, style: Style): string {
  if (fit === null) return '';
  const lines = [labelled('rules', explained(fit)).replace('rules', style.bold('rules'))];
  lines.push(labelled('no contradiction', fit.explained.join(', ') || 'no preset', 2, 18));
  if (fit.contradicted.length > 0) lines.push(labelled('contradicted', against(fit), 2, 18));
  const better = found(fit);
  if (better !== null) lines.push(labelled('best fit', better, 2, 18));
  return lines.join('\n');
}

/** The same for programs. */
export function fitJson(fit: Fit | null): Json {
  if (fit === null) return null;
  const { search } = fit;
  return {
    explained_by: [...fit.explained],
    contradicted: fit.contradicted.map(({ id, axis, differed, judged, firstSeq }) => ({
      variant: id,
      axis,
      differed,
      judged,
      first_seq: firstSeq,
    })),
    best: search.id,
    base: search.base,
    axes: search.axes.map(({ axis, value, also, agreed, judged, baseAgreed, baseJudged }) => ({
      axis,
      value,
      also: [...also],
      agreed,
      judged,
      base_agreed: baseAgreed,
      base_judged: baseJudged,
    })),
  };
}
