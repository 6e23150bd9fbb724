import { hex } from '../core/pointer.ts';
import { entryHex } from '../core/pte.ts';
import type { Synthesis, Truth } from './generate.ts';
import type { SynthSpec } from './spec.ts';
import { BOOT_NS } from './text/layout.ts';

const wordOrNull = (value: number | null): string | null => (value === null ? null : hex(value));

function planted({ kind, from, to, fromNs, toNs, pid, mm, va, pfn, entry }: Truth): object {
  return {
    kind: kind.id,
    checks: kind.checks,
    verdict: kind.verdict,
    first_event: from,
    last_event: to,
    first_ns: String(BOOT_NS + fromNs),
    last_ns: String(BOOT_NS + toNs),
    pid,
    mm: wordOrNull(mm),
    va: wordOrNull(va),
    pfn: wordOrNull(pfn),
    entry: entry === null ? null : entryHex(entry),
  };
}

/**
 * What was planted in a trace, as JSON: for each divergence its checks, the verdict that they can come to, the events
 * (counted before any loss) and times between which it lies, and its place.
 */
export function truthJson(synthesis: Synthesis, spec: SynthSpec): string {
  const value = {
    schema: 'faultline.synth-truth/1',
    seed: spec.seed,
    events: spec.events,
    planted: synthesis.truth.map(planted),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}
