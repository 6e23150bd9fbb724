import type { Divergence } from '../../src/checks/finding.ts';
import type { Analysis } from '../../src/replay/analysis.ts';
import { analyze } from '../../src/replay/analyze.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { leastEvents, Synthesis, type Truth } from '../../src/synth/generate.ts';
import { linesOf, type Written } from '../../src/synth/lines.ts';
import { NO_LOSS } from '../../src/synth/loss.ts';
import type { PlantKind } from '../../src/synth/plants/plant.ts';
import { DEFAULTS, RATES, type SynthSpec } from '../../src/synth/spec.ts';
import { variantById } from '../../src/variants/presets.ts';

/** A trace that was made up, and what is wrong with it. */
export interface Made {
  readonly text: string;
  readonly truth: readonly Truth[];
}

export const TEXT: Written = { format: 'text', layout: 'tgid', clock: 'mono', loss: NO_LOSS, cut: false };

/** A specification as usual, but for what is given. */
export function specOf(over: Partial<SynthSpec> = {}): SynthSpec {
  return { ...DEFAULTS, events: 3000, rates: RATES, plants: [], beyondTracers: false, ...over };
}

export function make(over: Partial<SynthSpec> = {}, written: Partial<Written> = {}): Made {
  const how = { ...TEXT, ...written };
  const spec = specOf({ beyondTracers: how.format === 'jsonl', ...over });
  const synthesis = new Synthesis(spec);
  return { text: [...linesOf(synthesis, spec, how)].join(''), truth: synthesis.truth };
}

/** A trace with one divergence of a kind, as small as it may be. */
export function planted(kind: PlantKind, seed: number, written: Partial<Written> = {}): Made {
  const events = leastEvents(1) + (seed % 7) * 100;
  return make({ seed, events, cpus: 2 + (seed % 4), plants: [{ kind, times: 1 }] }, written);
}

/** Analyzes a text against the rules of 6.12, in this thread. */
export function judge(text: string): Promise<Analysis> {
  const options = {
    variant: variantById('6.12')!,
    checks: null,
    since: null,
    until: null,
    kernel: null,
    arch: null,
    clock: 'mono',
    clockSkewNs: null,
    vmemmapBase: null,
  };
  return analyze('-', options, {
    source: (input, how) =>
      ingestHere(input, {
        ...how,
        stdin: (async function* () {
          yield Buffer.from(text, 'latin1');
        })(),
      }),
  });
}

/** One thing that a check says of one moment. */
export interface Said {
  readonly check: string;
  readonly verdict: string;
  readonly seq: number;
  readonly us: number;
  readonly pid: number | null;
  readonly pfn: number | null;
}

/** All that checks say at severity warning or above, each moment by itself. */
export function said({ divergences, trace }: Analysis): Said[] {
  const grave = (d: Pick<Divergence, 'severity'>): boolean => d.severity !== 'info';
  return divergences
    .filter(({ cause }) => cause !== 'another-variant')
    .flatMap((d) =>
      [d, ...d.consequences].filter(grave).flatMap(({ check, verdict }) =>
        d.members.map(({ seq, ns, pid, pfn }) => ({
          check,
          verdict,
          seq,
          us: Math.floor((Number(trace.originNs) + ns) / 1000),
          pid,
          pfn,
        })),
      ),
    );
}
