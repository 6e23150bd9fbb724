import type { Limit } from '../compare/diff/comparability.ts';
import type { DecisionKind } from '../compare/occasion.ts';
import { escapeText } from './escape.ts';
import { count, plural, ranges, seconds } from './format.ts';
import { KIND_WORDS } from './kind-words.ts';

/** Names of a list that a sentence shows. */
const MAX_NAMED = 6;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map(escapeText).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${count(names.length - MAX_NAMED)} more` : shown;
}

function both(a: string, b: string): string {
  return [...(a === '' ? [] : [`only in A: ${a}`]), ...(b === '' ? [] : [`only in B: ${b}`])].join('; ');
}

function events(kinds: ReadonlyArray<readonly [string, number]>): string {
  return listed(kinds.map(([name, times]) => `${name} ${count(times)}`));
}

function kinds(names: readonly DecisionKind[]): string {
  return names.map((kind) => KIND_WORDS[kind][1]).join(', ');
}

/** What one limit of a comparison is, in a sentence. */
export function limitText(limit: Limit): string {
  switch (limit.about) {
    case 'kernel':
    case 'arch':
    case 'clock': {
      const name = { kernel: 'kernels', arch: 'architectures', clock: 'clocks' }[limit.about];
      return `${name}: ${escapeText(limit.a ?? 'unknown')} in A, ${escapeText(limit.b ?? 'unknown')} in B`;
    }
    case 'cpus':
      return `CPUs: ${ranges(limit.a) || 'unknown'} in A, ${ranges(limit.b) || 'unknown'} in B`;
    case 'duration':
      return `A spans ${seconds(BigInt(limit.a))} s, B ${seconds(BigInt(limit.b))} s`;
    case 'lost':
      return `lost records: ${count(limit.a)} or more in A, ${count(limit.b)} or more in B: what they told is missing from the counts`;
    case 'unreadable':
      return `lines that could not be read: ${count(limit.a)} in A, ${count(limit.b)} in B`;
    case 'truncated':
      return both(
        limit.a === null ? '' : `${escapeText(limit.a)} (it ends early)`,
        limit.b === null ? '' : `${escapeText(limit.b)} (it ends early)`,
      );
    case 'events':
      return `events recorded in one of them only, for want of a probe or of an occasion: ${both(events(limit.a), events(limit.b))}`;
    case 'tasks':
      return `tasks that decide in one of them only: ${both(listed(limit.a), listed(limit.b))}`;
    case 'workload':
      return `decisions without a partner: ${count(limit.a)} in A, ${count(limit.b)} in B${limit.low ? ': if this is one workload, it ran otherwise; of these only rules and classes of inputs are compared' : ''}`;
    case 'decisions':
      return `kinds of decision told by one of them only: ${both(kinds(limit.a), kinds(limit.b))}`;
    case 'input':
      return `${limit.name.replaceAll('_', ' ')} at ${KIND_WORDS[limit.kind][1]} is known in ${limit.told.toUpperCase()} only`;
  }
}

/** How far two traces can be compared, in a few words. */
export function scoreText(score: number | null, pairs: number, a: number, b: number): string {
  return score === null
    ? 'neither trace tells a decision: only what checks found is compared'
    : `score ${score.toFixed(2)}: ${plural(pairs, 'decision')} of A and B matched, of ${count(a)} and ${count(b)}`;
}
