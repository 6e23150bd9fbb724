import { describe, expect, it, test } from 'vitest';
import { entryOf, PTE_EXCLUSIVE, PTE_WRITE } from '../../src/core/pte.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { TRI_FALSE, TRI_TRUE } from '../../src/state/pages.ts';
import { MmState } from '../../src/state/state.ts';
import { viewPages } from '../../src/state/view.ts';
import { ALLOCATED, PROBES_LIVE } from '../checks/stories.ts';
import { judge, WORLD } from '../notation.ts';

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

const P = 0x2000;
const Q = 0x2001;
const HUGE = 0x8000;
/** Task 10 has P, exclusive, mapped at a. */
const OWN = ALLOCATED.replaceAll('pfn=P', `pfn=${P}`).replaceAll('value=P', `value=${P}`);
const after = (text: string): MmState => judge(OWN + text).state;
const exclusive = (s: MmState, pfn: number): number => s.pages.col.exclusive[s.pages.find(pfn)]!;
const slotOf = (s: MmState, mm: number, va: number): number => s.ptes.slotAt(s.ptes.mms.find(mm), va);
const { mm: A, va: VA } = WORLD;

describe('what sets and takes the bit', () => {
  test('AE2: a page of the stable tree has none, and none is given to it by a merge', () => {
    expect(exclusive(after(''), P)).toBe(TRI_TRUE);
    const node = `  0 30 ksm.node pfn=${P}\n`;
    expect(exclusive(after(node), P)).toBe(TRI_FALSE);
    const merged = `  0 30 rmap.add pfn=${P} folio=${P} nr=1 mm=B va=b anon=yes exclusive=no\n`;
    expect(exclusive(after(node + merged), P)).toBe(TRI_FALSE);
  });

  test('AE3, AE6: migration takes it from the old page, the entry carries it, the new page gets it or not', () => {
    const left = `  1 40 mig.unmap.begin pfn=${P} mm=A va=a
  1 40 rmap.del pfn=${P} folio=${P} nr=1 mm=A mapcount=0
  1 40 mig.unmap.end ok=yes
`;
    expect(exclusive(after(left), P)).toBe(TRI_FALSE);
    const restored = (told: string): string => `${left}  1 40 mig.restore.begin pfn=${Q} mm=A va=a
  1 40 rmap.add pfn=${Q} folio=${Q} nr=1 mm=A va=a anon=yes exclusive=${told}
`;
    expect(exclusive(after(restored('yes')), Q)).toBe(TRI_TRUE);
    expect(exclusive(after(restored('no')), Q)).toBe(TRI_FALSE);
    // What the task unmaps after a restore is not on its way.
    const zapped = `  1 40 rmap.del pfn=${P} folio=${P} nr=1 mm=A mapcount=0\n`;
    expect(exclusive(after(`  1 40 mig.restore.begin pfn=${Q} mm=A va=a\n${zapped}`), P)).toBe(TRI_TRUE);
  });

  test('AE3: swapoff brings a page back that is shared', () => {
    const back = `  0 50 si.unuse-pte.begin mm=A va=a+1 pfn=${Q}
  0 50 rmap.add pfn=${Q} folio=${Q} nr=1 mm=A va=a+1 anon=yes exclusive=no
`;
    expect(exclusive(after(back), Q)).toBe(TRI_FALSE);
  });

  test('AE3, AE6: without PTE writes the swap entry is what the page was', () => {
    const unmapped = (told: string): string => `
  0 10 rmap.new pfn=${P} mm=A va=a exclusive=${told}
  1 40 swapcache.add pfn=${P} entry=swap:7 ok=yes
  1 40 unmap.begin pfn=${P} mm=A va=a count=3 mapcount=0
  1 40 rmap.del pfn=${P} folio=${P} nr=1 mm=A mapcount=0
  1 40 unmap.end ok=yes
`;
    const bits = (told: string): number => {
      const s = judge(unmapped(told)).state;
      return s.ptes.bits[slotOf(s, A, VA)]!;
    };
    expect(bits('yes') & PTE_EXCLUSIVE).not.toBe(0);
    expect(bits('no') & PTE_EXCLUSIVE).toBe(0);
  });

  test('AE4, AE8: fork leaves no exclusive entry behind, in the child at once', () => {
    const forked = `  0 10 pte.set mm=A ptep=T old=${P}:w value=swap:7:x nr=1
  0 10 fork.swap child=C parent=A va=a
`;
    const s = after(forked);
    expect(s.ptes.bits[slotOf(s, A, VA)]! & PTE_EXCLUSIVE).not.toBe(0);
    const child = s.ptes.mms.key(s.ptes.owner(s.swap.table.col.slot[s.swap.table.find(entryOf(0, 7))]! - 1));
    expect(child).not.toBe(A);
    expect(s.ptes.bits[slotOf(s, child, VA)]! & PTE_EXCLUSIVE).toBe(0);
  });

  test('AE8: both PTEs of a page that fork shares are read-only, at the address that it copies', () => {
    // The parent maps the page twice: the address says which PTE it is.
    const twice = `  0 10 pte.access mm=A va=a+1 ptep=T:1 value=${P}:w
  0 10 fork.ptes.begin child=C parent=A va=a dst=U:0 src=T:0 max=1
  0 10 pte.set mm=C ptep=U:0 old=none value=${P}:r nr=1
  0 10 fork.ptes.end nr=1
`;
    const s = after(twice);
    expect(exclusive(s, P)).toBe(TRI_FALSE);
    expect(s.ptes.bits[slotOf(s, A, VA)]! & PTE_WRITE).toBe(0);
    expect(s.ptes.bits[slotOf(s, A, VA + 4096)]! & PTE_WRITE).not.toBe(0);
  });

  test('AE6: a huge page that fork splits instead of sharing it stays exclusive', () => {
    const forked = `  0 10 page.alloc pfn=${HUGE} order=9
  0 10 fault.begin mm=A va=b flags=write|user
  0 10 rmap.new pfn=${HUGE} mm=A va=b exclusive=yes
  0 10 pmd.set mm=A pmdp=M value=${HUGE}:wh
  0 10 fault.end ret=0
  0 10 fork.pmd child=C parent=A va=b
`;
    const shared = after(forked);
    expect(exclusive(shared, HUGE)).toBe(TRI_FALSE);
    expect(shared.machines.folios.get(HUGE)).toMatchObject({ entire: 2 });
    const split = after(`${forked}  0 10 thp.split-pmd mm=A va=b\n`);
    expect(exclusive(split, HUGE)).toBe(TRI_TRUE);
    expect(split.machines.folios.get(HUGE)).toMatchObject({ entire: 1 });
  });

  test('AE6: the free takes it', () => {
    const s = after(`  0 10 page.free pfn=${P} order=0\n`);
    const page = viewPages(s, { pfn: P, mm: null, pid: null, address: null, entry: null }, []);
    expect(page).toMatchObject([{ life: 'free', exclusive: false }]);
  });

  const pin = (
    end: string,
    before = '',
  ): string => `${before}  0 20 rmap.add pfn=${Q} folio=${Q} nr=1 mm=B va=b anon=yes
  0 20 gup.begin how=pin-fast mm=B start=b nr=1 flags=pin
  0 20 gup.grab-fast.end pfn=${Q} refs=1 flags=pin
${end}  0 20 gup.end how=pin-fast ret=1
`;
  const KNOWS = `  0 20 rmap.add pfn=${Q + 1} folio=${Q + 1} nr=1 mm=B va=b+1 anon=yes exclusive=yes\n`;
  test('AE5, AE7: a page that a walk keeps pinned is exclusive', () => {
    expect(exclusive(after(pin('', KNOWS)), Q)).toBe(TRI_TRUE);
    // Dropped: the PTE had changed, or the bit was not set.
    expect(exclusive(after(pin(`  0 20 gup.put pfn=${Q} refs=1 flags=pin\n`, KNOWS)), Q)).not.toBe(TRI_TRUE);
    // A kernel of which nothing shows that it has the bit.
    expect(exclusive(after(pin('')), Q)).not.toBe(TRI_TRUE);
  });
});
