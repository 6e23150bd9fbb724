import type { Variant } from '../../variants/variant.ts';
import { explore } from '../explore/explore.ts';
import { parse } from '../parse.ts';
import { judge, replay } from '../replay.ts';
import { applies } from '../run.ts';
import type { Sequence } from './shrink.ts';
import { materialOf, type Story, TELLERS } from './stories.ts';

/** Events told as a scenario that shows the same divergence under a variant, or why they are not. */
export type Told =
  | { readonly text: string; readonly variant: string }
  | { readonly text: null; readonly why: string };

/** How the scenario is to be called. */
export interface Titles {
  readonly name: string;
  readonly title: string;
  readonly origin: string;
  /** Name of a task; null where the trace does not tell it. */
  comm(pid: number): string | null;
}

/** A word that a scenario takes as a name, each once. */
function namer(comm: Titles['comm']): (pid: number) => string {
  const names = new Map<number, string>();
  return (pid) => {
    const known = names.get(pid);
    if (known !== undefined) return known;
    const word =
      (comm(pid) ?? '')
        .replace(/[^\w-]+/g, '-')
        .replace(/^[^A-Za-z]+/, '')
        .slice(0, 30) || 'task';
    const taken = [...names.values()].includes(word) || /^[A-D]$/.test(word);
    names.set(pid, taken ? `${word}-${pid}` : word);
    return names.get(pid)!;
  };
}

/** A text in one line, which no comment cuts. */
function oneLine(text: string): string {
  return text.replaceAll('#', '').replace(/\s+/g, ' ').trim();
}

function written({ world, threads }: Story, titles: Titles): string {
  const lines = [
    `litmus ${titles.name}`,
    `title ${oneLine(titles.title)}`,
    `origin ${oneLine(titles.origin)}`,
    ...world,
  ];
  for (const [head, statements] of threads)
    lines.push('', `thread ${head}`, ...statements.map((statement) => `  ${statement}`));
  return `${lines.join('\n')}\n`;
}

/** Whether some interleaving shows a check with this verdict: a witness of the explorer, judged as any trace. */
function reproduces(text: string, variant: Variant, check: string, verdict: string): boolean {
  const program = parse(text);
  if (!applies(program, variant)) return false;
  const { witnesses } = explore(program, variant);
  return [...witnesses.values()].some(
    (schedule) => judge(replay(program, variant, schedule), variant).fired.get(check)?.verdict === verdict,
  );
}

/** Tells a reduced divergence as a scenario, if one can be made that shows it under one of these variants. */
export function tell({ found, events }: Sequence, variants: readonly Variant[], titles: Titles): Told {
  const material = materialOf(found, events, namer(titles.comm));
  const teller = TELLERS.find((one) => one.suits(material));
  if (teller === undefined)
    return { text: null, why: `no statement of scenarios does what ${found.check} is about` };
  const odd = material.events.find(({ kind }) => !teller.kinds.includes(kind.name.split('.')[0]!));
  if (odd !== undefined)
    return { text: null, why: `no statement of scenarios says what ${odd.kind.name} does` };
  for (const story of teller.tell(material)) {
    const text = written(story, titles);
    const variant = variants.find((one) => reproduces(text, one, found.check, found.verdict));
    if (variant !== undefined) return { text, variant: variant.id };
  }
  const under = variants.map(({ id }) => id).join(' or ');
  return {
    text: null,
    why: `what these events tell, told as steps, does not show ${found.check} (${found.verdict}) in any interleaving under ${under}`,
  };
}
