import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryOffset, entryType } from '../../src/core/pte.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { type Translation, translateFor } from '../../src/state/lookup.ts';
import { MmState } from '../../src/state/state.ts';

/** What /proc/PID/pagemap held: time, pid, address, and `0xPFN` or `swap TYPE:OFFSET` (traces/README.md). */
type Snapshot = readonly [time: string, pid: number, address: string, held: string];
const snapshots = JSON.parse(readFileSync('traces/page-tables.json', 'utf8')) as Record<
  string,
  readonly Snapshot[]
>;

/** How many of a capture's snapshots must be answered: all where the probes tell, none where nothing tells. */
const ANSWERED: Readonly<Record<string, number>> = {
  'V1-pin-guptest': 1,
  'V2-pin-guptest': 1,
  'V3-vmsplice': 1,
  'base-pin-guptest': 1,
  'stock-vmsplice': 1,
  'deb612-cow': 0.95,
  'base-cow-trace-pipe-lost': 0.3,
  'base-cow-tracepoints-only': 0,
};

function text(found: Translation): string {
  if (found.kind === 'present') return `0x${found.pfn.toString(16)}`;
  if (found.kind === 'swap') return `swap ${entryType(found.entry)}:${entryOffset(found.entry)}`;
  return found.kind;
}

function nanoseconds(time: string): bigint {
  const [seconds, fraction = ''] = time.split('.');
  return BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

async function answers(
  name: string,
): Promise<Array<{ readonly wanted: string; readonly found: Translation }>> {
  const wanted = [...snapshots[name]!];
  const found: Array<{ wanted: string; found: Translation }> = [];
  const s = new MmState(FOLDS);
  const e = new Cursor();
  const answer = ([, pid, address, held]: Snapshot) =>
    found.push({ wanted: held, found: translateFor(s, pid, Number(address)) });
  for await (const { events, facts } of ingestHere(`traces/${name}.txt.gz`)) {
    for (let i = 0; i < events.count; i++) {
      e.seek(events, i);
      while (wanted.length > 0 && nanoseconds(wanted[0]![0]) < facts.originNs + BigInt(e.ns))
        answer(wanted.shift()!);
      s.apply(e);
    }
  }
  for (const left of wanted) answer(left);
  return found;
}

describe('page tables against what pagemap held', () => {
  it.each(Object.entries(ANSWERED))('%s: right or unknown, never wrong', async (name, share) => {
    const all = await answers(name);
    expect(all.length).toBe(snapshots[name]!.length);
    const told = all.filter(({ found }) => found.kind !== 'unknown');
    expect(told.filter(({ wanted, found }) => text(found) !== wanted)).toEqual([]);
    expect(told.length / all.length).toBeGreaterThanOrEqual(share);
    for (const { found } of all) if (found.kind === 'unknown') expect(found.reason).not.toBeNull();
  });
});
