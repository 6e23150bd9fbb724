import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Divergence, Place } from '../../src/checks/finding.ts';
import type { Analysis } from '../../src/replay/analysis.ts';
import { ALL_UNDECLARED, analyze } from '../../src/replay/analyze.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { variantById } from '../../src/variants/presets.ts';

/** A record of a tracefs text: its line, and what of it tests deal with. */
export interface Line {
  readonly text: string;
  readonly pid: number;
  readonly cpu: number;
  readonly time: string;
  readonly event: string;
}

/** A capture as lines: what stands above the first record, and the records. */
export interface Capture {
  readonly head: readonly string[];
  readonly lines: readonly Line[];
}

const RECORD = /^.*?-(\d+)\s+(?:\(\s*[\d-]+\)\s+)?\[(\d+)\]\s+(?:[^\s:]{4,6}\s+)?([\d.]+): ([^\s:(]+)/;

/** Reads a capture of a folder. */
export function capture(name: string, folder = 'traces'): Capture {
  const all = gunzipSync(readFileSync(`${folder}/${name}.txt.gz`))
    .toString('latin1')
    .trimEnd()
    .split('\n');
  const head: string[] = [];
  const lines: Line[] = [];
  let lost = '';
  for (const text of all) {
    const [, pid, cpu, time, event] = (text.startsWith('#') ? null : RECORD.exec(text)) ?? [];
    if (pid !== undefined) {
      lines.push({ text: lost + text, pid: Number(pid), cpu: Number(cpu), time: time!, event: event! });
      lost = '';
    } else if (lines.length === 0) head.push(text);
    else if (/^CPU:\d+ \[LOST|^#{5} CPU \d+ buffer started/.test(text)) lost += `${text}\n`;
    else if (text === '' || text.startsWith(' => ')) {
      // A kernel stack, and the end of a name with a line break in it, belong to the record above.
      const above = lines.pop()!;
      lines.push({ ...above, text: `${above.text}\n${text}` });
    } else throw new Error(`${name} has a line that is no record: ${text}`);
  }
  return { head, lines };
}

/** A trace's text of these lines. */
export function textOf(head: readonly string[], lines: readonly { readonly text: string }[]): string {
  return `${[...head, ...lines.map(({ text }) => text)].join('\n')}\n`;
}

/** Analyzes a text, in this thread. */
export function analyzeText(text: string, variant: string | null): Promise<Analysis> {
  const bytes = Buffer.from(text, 'latin1');
  return analyze(
    '-',
    { ...ALL_UNDECLARED, variant: variant === null ? null : variantById(variant)! },
    {
      source: (input, options) =>
        ingestHere(input, {
          ...options,
          stdin: (async function* () {
            yield bytes;
          })(),
        }),
    },
  );
}

/** Analyzes a capture as it is. */
export async function analyzeCapture(name: string, variant: string | null): Promise<Analysis> {
  const { head, lines } = capture(name);
  return analyzeText(textOf(head, lines), variant);
}

/** Whether a finding calls for action, and is sure of itself. */
export function isGrave({ severity, verdict }: Pick<Divergence, 'severity' | 'verdict'>): boolean {
  return verdict === 'proven' && severity !== 'info';
}

/** What one check proves of one moment. */
export interface Proof {
  readonly check: string;
  readonly us: number;
  readonly pid: number | null;
  readonly pfn: number | null;
}

/**
 * Every proven finding of severity warning or above, each member of a group for itself. That a trace as a whole
 * follows another variant is a share of its decisions and not a finding about one of them: it is left out.
 */
export function proofs({ divergences, trace }: Analysis): Proof[] {
  const found: Proof[] = [];
  for (const d of divergences) {
    if (d.cause === 'another-variant') continue;
    for (const { check } of [d, ...d.consequences].filter(isGrave)) {
      for (const place of d.members) found.push({ check, ...where(place, trace.originNs) });
    }
  }
  return found;
}

function where({ ns, pid, pfn }: Place, originNs: bigint): Omit<Proof, 'check'> {
  return { us: Math.round((Number(originNs) + ns) / 1000), pid, pfn };
}

/** Proofs that `whole` does not have; moments are the same within what a clock may be off. */
export function fresh(part: readonly Proof[], whole: readonly Proof[], toleranceUs: number): Proof[] {
  return part.filter(
    (proof) =>
      !whole.some(
        (known) =>
          known.check === proof.check &&
          known.pid === proof.pid &&
          known.pfn === proof.pfn &&
          Math.abs(known.us - proof.us) <= toleranceUs,
      ),
  );
}

/** Chance that repeats: numbers in [0, 1). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
