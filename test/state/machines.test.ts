import { describe, expect, test } from 'vitest';
import { decodePlain, encodePlain, type Plain } from '../../src/core/image.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { MmState, type StateImage } from '../../src/state/state.ts';
import { events, WORLD } from '../notation.ts';

const A = WORLD.mm;
const VA = WORLD.va;
const P = WORLD.pfn;

/** Every machine is at work somewhere in this. */
const STORY = `
  0 10 ref.set pfn=P value=1 count=1 mapcount=-1 flags=none mapping=none
  0 10 page.alloc pfn=P order=0
  0 10 anon.begin mm=A va=a flags=write|user
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=P:w nr=1
  0 10 anon.end ret=0
  0 1 page.zero pfn=Z
  0 1 page.unpinnable pfn=U
  0 30 ksm.node pfn=P
  0 30 ksm.replace.begin mm=B page=Q kpage=P pte=Q:r
  0 30 ksm.replace.end ret=0
  1 30 ksm.get node=N pfn=P
  0 10 fork.begin child=B parent=A start=a end=a+8
  1 40 mig.unmap.begin pfn=P mm=A va=a
  1 40 mig.entry va=a pte=P:m
  1 40 mig.unmap.end ok=yes
  1 40 mig.copy src=P dst=Q
  1 40 mig.copied ret=0
  0 10 mm.dup mm=B
  0 10 protect.begin mm=A start=a end=a+8 uffdwp=yes
  0 10 tlb.flush mm=A start=a end=a+8
  0 10 thp.collapse.begin mm=A va=b
  0 10 pmd.clear mm=A value=none
  0 10 thp.isolate.begin mm=A va=b
  0 10 ref.add pfn=R delta=1 count=2 mapcount=0 flags=locked|swapbacked mapping=anon
  0 10 thp.isolate.end ok=yes
  0 10 thp.copy pfn=R into=H
  0 10 thp.collapse.commit mm=A va=b
  0 10 rmap.add-pmd pfn=H mm=A va=b
  0 10 thp.mapcount pfn=H value=1
  0 10 pmd.set mm=A pmdp=M value=H:w
  0 10 thp.collapse.end ret=1
  1 40 mig.restore.begin pfn=Q mm=A va=a
  1 10 page.free pfn=P order=0
  0 30 ksm.remove pfn=P
  0 10 mm.exit mm=A
`;

function fold(text: string): MmState {
  const state = new MmState(FOLDS);
  state.applyAll(events(text));
  return state;
}

/** The story up to the line that matches, inclusive. */
function until(pattern: RegExp): MmState {
  const lines = STORY.trim().split('\n');
  const at = lines.findIndex((line) => pattern.test(line));
  expect(at).toBeGreaterThanOrEqual(0);
  return fold(lines.slice(0, at + 1).join('\n'));
}

function bytes(state: MmState): Uint8Array {
  return encodePlain(state.image() as unknown as Plain);
}

describe('machines', () => {
  test('KSM: a node, its merges and lookups, and that its page is gone', () => {
    expect(until(/ksm\.get/).machines.ksm.get(P)).toMatchObject({ merged: 1, getPid: 30, leftSeq: 0 });
    expect(until(/page\.free/).machines.ksm.get(P)!.leftSeq).toBeGreaterThan(0);
    expect(until(/ksm\.remove/).machines.ksm.size).toBe(0);
  });

  test('migration: entries until they are restored', () => {
    const { migrations } = until(/mig\.unmap\.end/).machines;
    expect(migrations.get(P)!.entries).toMatchObject([{ mm: A, va: VA }]);
    expect(until(/mig\.copied/).machines.migrations.get(P)!.movedSeq).toBeGreaterThan(0);
    expect(until(/mig\.restore/).machines.migrations.size).toBe(0);
  });

  test('fork: under way until dup_mm returns', () => {
    expect(until(/fork\.begin/).machines.forks.get(A)).toMatchObject({ pid: 10, endSeq: 0 });
    expect(until(/mm\.dup/).machines.forks.get(A)!.endSeq).toBeGreaterThan(0);
  });

  test('fork: over once the child is announced, where no return is probed', () => {
    const begun = '  0 10 fork.begin parent=A child=B start=a end=a+8\n';
    expect(fold(`${begun}  0 11 task.new pid=21 vm=no\n`).machines.forks.get(A)!.endSeq).toBe(0);
    expect(fold(`${begun}  0 10 task.new pid=20 vm=no\n`).machines.forks.get(A)!.endSeq).toBeGreaterThan(0);
    expect(
      fold(`${begun}  0 10 task.fork parent=10 child=20\n`).machines.forks.get(A)!.endSeq,
    ).toBeGreaterThan(0);
  });

  test('userfaultfd: what it lets go of is not armed, what lies around it is', () => {
    const armed = '  0 10 protect.begin mm=A start=a end=a+8 uffdwp=yes resolved=no\n';
    const { machines } = fold(`${armed}  0 10 protect.begin mm=A start=a+2 end=a+3 uffdwp=no resolved=yes\n`);
    const pages = [0, 1, 2, 3, 7, 8];
    expect(pages.map((page) => machines.armedAt(A, VA + page * 4096) !== undefined)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(fold(armed + armed.replace('uffdwp=yes resolved=no', 'resolved=yes')).machines.armed.size).toBe(0);
    // Armed again without being let go: one range, which is flushed when a flush follows.
    const again = fold(`${armed}  0 10 tlb.flush mm=A start=a end=a+8\n${armed}`).machines.armed;
    expect([...again.values()]).toEqual([[expect.objectContaining({ flushedSeq: 0 })]]);
  });

  test('userfaultfd: a range is armed, then flushed', () => {
    expect(until(/protect\.begin/).machines.armedAt(A, VA + 4096)).toMatchObject({ flushedSeq: 0 });
    expect(until(/tlb\.flush/).machines.armedAt(A, VA)!.flushedSeq).toBeGreaterThan(0);
    expect(until(/mm\.exit/).machines.armedAt(A, VA)).toBeUndefined();
  });

  test('collapse: its pages as they were at the check', () => {
    const collapse = until(/thp\.collapse\.commit/).tasks.peek(10)!.collapse!;
    expect([...collapse.pages.values()]).toMatchObject([{ count: 1, mapcount: 0 }]);
    expect(collapse.pmdClearSeq).toBeLessThan(collapse.isolateSeq);
    expect(until(/thp\.collapse\.end/).tasks.peek(10)!.collapse).toBeNull();
  });

  test('lost records: what was under way may be over, what was declared holds', () => {
    const state = until(/thp\.mapcount/);
    state.lose(100);
    const { ksm, migrations, armed, forks, folios, zeroPfns, unpinnable } = state.machines;
    expect([ksm.size, migrations.size, armed.size, forks.size, folios.size]).toEqual([0, 0, 0, 0, 0]);
    expect([zeroPfns.size, unpinnable.size]).toEqual([1, 1]);
  });
});

test('a state restored from its image at any event goes on to be the same', () => {
  const batch = events(STORY);
  const whole = bytes(fold(STORY));
  const e = new Cursor();
  for (let cut = 1; cut < batch.count; cut++) {
    const first = new MmState(FOLDS);
    for (let i = 0; i < cut; i++) {
      e.seek(batch, i);
      first.apply(e);
    }
    const second = new MmState(FOLDS);
    second.restore(decodePlain(bytes(first)) as unknown as StateImage);
    for (let i = cut; i < batch.count; i++) {
      e.seek(batch, i);
      second.apply(e);
    }
    expect(Buffer.from(bytes(second)).equals(Buffer.from(whole)), `cut at event ${cut}`).toBe(true);
  }
});
