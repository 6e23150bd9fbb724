import { describe, expect, test } from 'vitest';
import { EXACT, SAMPLED, UNKNOWN } from '../../src/core/knowledge.ts';
import { PTE_KIND, PTE_WRITE } from '../../src/core/pte.ts';
import { translate } from '../../src/state/lookup.ts';
import {
  LIFE_ALLOCATED,
  LIFE_FREE,
  LIFE_UNKNOWN,
  TRI_FALSE,
  TRI_TRUE,
  TRI_UNKNOWN,
} from '../../src/state/pages.ts';
import type { MmState } from '../../src/state/state.ts';
import {
  ALLOCATED,
  CHILD_READS,
  childUnmaps,
  copyFault,
  PINNED,
  PROBES_LIVE,
  SHARED,
} from '../checks/stories.ts';
import { judge, WORLD } from '../notation.ts';

/** The first page, mm and region that a text names have these numbers. */
const P = WORLD.pfn;
const A = WORLD.mm;
const VA = WORLD.va;

interface PageNow {
  readonly count: number;
  readonly map: number;
  readonly life: number;
  readonly exclusive: number;
  readonly pins: number;
  readonly generation: number;
  readonly holds: number;
  readonly countGrade: number;
}

function page(s: MmState, pfn = P): PageNow {
  const row = s.pages.find(pfn);
  const c = s.pages.col;
  return {
    count: s.pages.count(row),
    map: s.pages.mappings(row),
    life: c.life[row]!,
    exclusive: c.exclusive[row]!,
    pins: c.pins[row]!,
    generation: c.gen[row]!,
    holds: [...s.holds.of(row)].length,
    countGrade: c.countGrade[row]!,
  };
}

function pte(s: MmState, mm: number, va = VA): string {
  const found = translate(s, mm, va);
  if (found.kind !== 'present') return found.kind;
  expect(found.bits & PTE_KIND).toBe(1);
  return `${found.pfn.toString(16)} ${found.writeUnknown ? '?' : found.bits & PTE_WRITE ? 'w' : 'r'}`;
}

describe('references', () => {
  test('integrate from the allocation, and are exact', () => {
    const { state } = judge(ALLOCATED + PINNED);
    expect(page(state)).toMatchObject({
      count: 1025,
      countGrade: EXACT,
      map: 1,
      pins: 1,
      holds: 1,
      life: LIFE_ALLOCATED,
    });
    expect(state.refcount.counts()).toEqual({ compared: 1, agreed: 1, raced: 0, unknown: 0 });
  });

  test('the first sample of a page that the trace did not see begin is learned, not compared', () => {
    const { state } = judge('0 1 ref.add pfn=P delta=1 count=5 mapcount=2 flags=lru mapping=anon');
    expect(page(state)).toMatchObject({ count: 5, countGrade: SAMPLED, map: 3, life: LIFE_UNKNOWN });
    expect(state.refcount.counts()).toEqual({ compared: 0, agreed: 0, raced: 0, unknown: 1 });
  });

  test('a sample that another’s change had already reached is a race, not an error', () => {
    const { state } = judge(`${ALLOCATED}
  0 1 ref.add pfn=P delta=1 count=3 mapcount=0 flags=lru mapping=anon   # the other one is recorded next
  1 2 ref.add pfn=P delta=1 count=3 mapcount=0 flags=lru mapping=anon`);
    expect(page(state).count).toBe(3);
    expect(state.refcount.counts()).toEqual({ compared: 2, agreed: 1, raced: 1, unknown: 0 });
  });

  test('the put that reaches zero ends the generation: holds, mappings and values are gone', () => {
    const { state } = judge(`${ALLOCATED}${PINNED}
  0 1 ref.add pfn=P delta=-1025 zero=yes count=0 mapcount=-1`);
    expect(page(state)).toMatchObject({
      life: LIFE_FREE,
      holds: 0,
      pins: 0,
      count: Number.NaN,
      exclusive: TRI_UNKNOWN,
    });
    expect(pte(state, A)).toBe('unknown');
  });

  test('a put recorded after the page was freed changes nothing', () => {
    const freed = `${ALLOCATED}
  0 1 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=-1`;
    const before = page(judge(freed).state);
    expect(page(judge(`${freed}\n  1 2 ref.add pfn=P delta=-1 zero=no count=0 mapcount=-1`).state)).toEqual(
      before,
    );
  });

  test('a freeze holds at zero, an unfreeze gives back; whoever froze it knows of no other holder', () => {
    const frozen = `${ALLOCATED}${PINNED}
  0 1 ref.freeze pfn=P expect=1025 ok=yes count=0 mapcount=0`;
    expect(page(judge(frozen).state)).toMatchObject({ count: 0, holds: 0, pins: 0 });
    expect(page(judge(`${frozen}\n  0 1 ref.unfreeze pfn=P value=1 count=1 mapcount=0`).state)).toMatchObject(
      {
        count: 1,
        life: LIFE_ALLOCATED,
      },
    );
    expect(page(judge(frozen.replace('ok=yes count=0', 'ok=no count=1025')).state)).toMatchObject({
      count: 1025,
      holds: 1,
    });
  });

  test('a bare addition of the bias is a pin through nobody knows what', () => {
    const { state } = judge('0 1 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=lru mapping=anon');
    const [hold] = [...state.holds.of(state.pages.find(P))];
    expect(state.holds.isPin(hold!)).toBe(true);
    expect(state.holds.col.mm[hold!]).toBeNaN();
  });

  test('an allocation whose count was not set tells that page_ref is filtered', () => {
    expect(judge(ALLOCATED).state.sources.filtered).toBe(false);
    expect(judge('0 1 page.alloc pfn=P order=0').state.sources.filtered).toBe(true);
  });
});

describe('page tables', () => {
  test('a PTE written inside a bracket of one address teaches where its page table stands', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 pte.set mm=A ptep=T:3 old=none value=X:r nr=2`);
    expect(pte(state, A)).toBe(`${P.toString(16)} w`);
    expect(pte(state, A, VA + 3 * 4096)).toBe(`${(P + 7).toString(16)} r`);
    expect(pte(state, A, VA + 4 * 4096)).toBe(`${(P + 8).toString(16)} r`);
  });

  test('a bracket of another index teaches nothing', () => {
    const { state } = judge(ALLOCATED.replace('ptep=T', 'ptep=T:1'));
    expect(pte(state, A)).not.toBe(`${P.toString(16)} w`);
  });

  test('fork takes the write bit and the exclusivity of the parent without a word', () => {
    const { state } = judge(ALLOCATED + SHARED);
    expect(pte(state, A)).toBe(`${P.toString(16)} r`);
    expect(pte(state, A + 1280)).toBe(`${P.toString(16)} r`);
    expect(page(state)).toMatchObject({ map: 2, count: 2, exclusive: TRI_FALSE });
    expect(state.tasks.peek(11)!.mm).toBe(A + 1280);
  });

  test('fork of a writable shared mapping leaves both writable', () => {
    const { state } = judge(
      ALLOCATED + SHARED.replace('value=P:r', 'value=P:w').replace(/.*fork\.begin.*\n/, ''),
    );
    expect(pte(state, A)).toBe(`${P.toString(16)} w`);
    expect(page(state)).toMatchObject({ map: 2, exclusive: TRI_TRUE });
  });

  test('a reuse sets the write bit without a pte.set, a copy maps the new page', () => {
    const shared = PROBES_LIVE.replace(/.*/g, '') + ALLOCATED + SHARED;
    const reused = judge(`${shared}${childUnmaps(1)}
  0 10 wp.begin mm=A va=a flags=write pte=P:r
  0 10 rmap.move pfn=P mm=A
  0 10 wp.reuse mm=A va=a pfn=P count=1 mapcount=0 flags=lru|swapbacked|ae
  0 10 wp.end ret=0`).state;
    expect(pte(reused, A)).toBe(`${P.toString(16)} w`);
    expect(page(reused)).toMatchObject({ map: 1, exclusive: TRI_TRUE });
    const copied = judge(shared + copyFault({ flags: 'lru|swapbacked', count: 2, mapcount: 1 })).state;
    expect(pte(copied, A)).toBe(`${(P + 7).toString(16)} w`);
    expect(page(copied)).toMatchObject({ map: 1, count: 1 });
  });

  test('a cleared PTE that may be one of two leaves both unknown', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 pte.set mm=A ptep=T:5 old=none value=P:r nr=1
  1 30 pte.clear mm=A value=P:r`);
    expect(pte(state, A)).toBe('unknown');
    expect(pte(state, A, VA + 5 * 4096)).toBe('unknown');
  });

  test('kernel mappings written through the same function are no process’s', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 pte.set mm=A ptep=T:9 old=none value=none nr=1`);
    expect(pte(state, A, VA + 9 * 4096)).toBe('none');
  });

  test('an mm pointer that is used again is another mm', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 mm.exit mm=A
  0 10 task.exit pid=10
  1 30 fault.begin mm=A va=b flags=write`);
    expect(pte(state, A)).toBe('unknown');
    expect(state.tasks.peek(30)!.mm).toBe(A);
  });
});

describe('GUP references', () => {
  test('a walk counts addresses from its start, and ends with its unpin', () => {
    const walk = `${ALLOCATED}
  0 10 gup.begin how=pin mm=A start=a nr=2 flags=pin|write
  0 10 gup.grab pfn=X refs=1 flags=pin|write count=1
  0 10 ref.add pfn=X delta=1024 count=1025 mapcount=0 flags=lru mapping=anon
  0 10 gup.grab pfn=P refs=1 flags=pin|write count=1
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=lru mapping=anon
  0 10 gup.end how=pin ret=2`;
    const { state } = judge(walk);
    const [hold] = [...state.holds.of(state.pages.find(P))];
    expect([state.holds.col.va[hold!], state.holds.col.mm[hold!], state.holds.col.pid[hold!]]).toEqual([
      VA + 4096,
      A,
      10,
    ]);
    const put = judge(
      `${walk}\n  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=0 flags=lru mapping=anon`,
    ).state;
    expect(page(put)).toMatchObject({ holds: 0, pins: 0 });
  });

  test('a FOLL_GET is over once the count leaves no room for it', () => {
    const base = ALLOCATED + SHARED + CHILD_READS;
    expect(page(judge(base).state)).toMatchObject({ count: 3, holds: 1 });
    expect(page(judge(base + childUnmaps(2)).state)).toMatchObject({ count: 2, map: 1, holds: 1 });
    const put = '\n  1 11 ref.add pfn=P delta=-1 count=1 mapcount=0 flags=lru|swapbacked mapping=anon';
    expect(page(judge(base + childUnmaps(2) + put).state)).toMatchObject({ count: 1, holds: 0 });
  });
});

describe('lost records', () => {
  const lost = '\n  1 20 trace.lost cpu=1 count=3';

  test('leave no value of any page, PTE or bracket', () => {
    const { state } = judge(`${ALLOCATED}${PINNED}
  0 10 wp.begin mm=A va=a flags=write pte=P:r${lost}`);
    expect(page(state)).toMatchObject({
      count: Number.NaN,
      countGrade: UNKNOWN,
      map: Number.NaN,
      life: LIFE_UNKNOWN,
      exclusive: TRI_UNKNOWN,
    });
    expect(pte(state, A)).toBe('unknown');
    expect(state.open).toEqual([]);
    expect(state.tasks.peek(10)!.fault).toBeNull();
    expect(state.lossy).toBe(true);
    expect(state.losses).toEqual([{ cpu: 1, count: 3, afterSeq: state.seq - 1 }]);
  });

  test('what is told after them is known again', () => {
    const { state } = judge(`${ALLOCATED}${lost}
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|swapbacked|ae mapping=anon
  0 10 pte.set mm=A ptep=T old=P:w value=P:r nr=1
  0 10 pte.clear-flush mm=A va=a ptep=T`);
    expect(page(state)).toMatchObject({ count: 2, countGrade: SAMPLED, map: 1, exclusive: TRI_TRUE });
  });

  test('a segment begins with nothing', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 trace.segment overwritten=0 cpus=2`);
    expect(state.pages.table.size).toBe(0);
    expect(pte(state, A)).toBe('unknown');
    expect(state.lossy).toBe(false);
  });

  test('an overwritten buffer is blind until every CPU has had a record', () => {
    const begun = '0 10 trace.segment overwritten=500 cpus=2\n';
    expect(judge(begun + ALLOCATED).state.blind).toBe(true);
    const { state } = judge(`${begun}${ALLOCATED}
  1 20 sys.enter call=-1`);
    expect(state.blind).toBe(false);
    // What was told while the other CPU was blind may be wrong.
    expect(page(state).countGrade).toBe(UNKNOWN);
  });
});

describe('brackets', () => {
  test('an interrupt acts for nobody: the task named is only interrupted', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 wp.begin mm=A va=a flags=write pte=P:r
  0 10/irq wp.copy mm=A va=a pfn=P pte=P:r count=9 mapcount=0 flags=lru
  0 10 wp.end ret=0`);
    expect(state.open).toEqual([]);
    const { decisions } = judge(`${ALLOCATED}
  0 10 wp.begin mm=A va=a flags=write pte=P:r
  0 10/irq wp.copy mm=A va=a pfn=P pte=P:r count=9 mapcount=0 flags=lru
  0 10 wp.end ret=0`);
    expect(decisions.map(({ d }) => d.outcome)).toEqual(['unknown']);
  });

  test('a fault that begins gives up one whose return is missing', () => {
    const { decisions, state } = judge(`${ALLOCATED}
  0 10 fault.begin mm=A va=a flags=write
  0 10 wp.begin mm=A va=a flags=write pte=P:r
  0 10 fault.begin mm=A va=b flags=write
  0 10 wp.end ret=0`);
    expect(decisions).toEqual([]);
    expect(state.open).toEqual([]);
    expect(state.pages.col.watched[state.pages.find(P)]).toBe(0);
  });

  test('a new life of a pid has no open brackets', () => {
    const { state } = judge(`${ALLOCATED}
  0 10 wp.begin mm=A va=a flags=write pte=P:r
  1 1 task.fork parent=1 child=10`);
    expect(state.open).toEqual([]);
    expect(state.tasks.peek(10)!.fault).toBeNull();
  });
});
