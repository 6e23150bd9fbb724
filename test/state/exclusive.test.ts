import { describe, expect, it, test } from 'vitest';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { MmState } from '../../src/state/state.ts';
import { ALLOCATED, PROBES_LIVE } from '../checks/stories.ts';
import { judge } from '../notation.ts';

async function folded(name: string): Promise<MmState> {
  const s = new MmState(FOLDS);
  for await (const { events } of ingestHere(`traces/${name}.txt.gz`)) s.applyAll(events);
  return s;
}

describe('AnonExclusive as folded against what records print of it', () => {
  it.each(['V1-pin-guptest', 'V2-pin-guptest', 'V3-vmsplice', 'base-pin-guptest', 'stock-vmsplice'])(
    '%s: every sample agrees',
    async (name) => {
      const { exclusive } = await folded(name);
      expect(exclusive.disagreed).toEqual([]);
      expect(exclusive.agreed).toBeGreaterThan(1000);
      expect(exclusive.compared).toBe(exclusive.agreed + exclusive.raced);
    },
  );

  it.each(['base-cow-tracepoints-only', 'deb612-cow'])(
    '%s: nothing is compared where rmap or PTEs are not told',
    async (name) => {
      const { exclusive } = await folded(name);
      expect(exclusive.compared).toBe(0);
      expect(exclusive.unknown).toBeGreaterThan(1000);
    },
  );

  it('base-cow-trace-pipe-lost: samples ahead of a loss that is told later disagree', async () => {
    const { exclusive } = await folded('base-cow-trace-pipe-lost');
    expect(exclusive.disagreed.length).toBeGreaterThan(0);
    expect(exclusive.agreed / exclusive.compared).toBeGreaterThan(0.9);
  });
});

const FLAGS = 'swapbacked|uptodate';
const sample = (pid: number, ae: boolean, mapping = 'anon'): string =>
  `  1 ${pid} ref.add pfn=P delta=1 count=2 mapcount=0 flags=${ae ? 'ae|' : ''}${FLAGS} mapping=${mapping}\n`;
const counts = (text: string): object => judge(PROBES_LIVE + ALLOCATED + text).state.exclusive.counts();

test('the mark of do_wp_page comes behind the move of the rmap', () => {
  const story = `${sample(10, true)}  0 10 fork.ptes.begin child=C parent=A va=a max=1
  0 10 pte.set mm=C ptep=U old=none value=P:r nr=1
  0 10 fork.ptes.end nr=1
${sample(10, false)}  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 rmap.move pfn=P
  0 10 lock.release pfn=P flags=locked|${FLAGS}
  0 10 wp.reuse mm=A va=a pfn=P count=2 mapcount=0 flags=ae|${FLAGS}
  0 10 wp.end ret=0
${sample(10, true)}`;
  expect(counts(story)).toMatchObject({ compared: 5, agreed: 5 });
});

test('KSM takes the bit before it write-protects', () => {
  const story = `  0 33 ksm.wrprotect.begin mm=A pfn=P count=1 mapcount=0\n  0 33 ksm.wrprotect.end ret=0\n`;
  expect(counts(story + sample(33, false))).toMatchObject({ compared: 1, agreed: 1 });
  expect(counts(story.replace('ret=0', 'ret=-14') + sample(33, true))).toMatchObject({ agreed: 1 });
});

test('a reading while another task is inside an rmap call is raced', () => {
  const story = `${sample(10, true)}  0 11 rmap.add pfn=P folio=P nr=1 mm=B va=b anon=yes exclusive=yes\n`;
  expect(counts(story + sample(12, false))).toMatchObject({ compared: 2, agreed: 1, raced: 1 });
});
