import { describe, expect, test } from 'vitest';
import { decodePlain, encodePlain, type Plain } from '../../src/core/image.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { translate } from '../../src/state/lookup.ts';
import { MmState, type StateImage } from '../../src/state/state.ts';
import { events, WORLD } from '../notation.ts';

const A = WORLD.mm;
const VA = WORLD.va;
const P = WORLD.pfn;

/** Devices, deferred flushes, page-table locks, page locks and LRU batches are all at work somewhere in this. */
const STORY = `
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 pte.write mm=A va=a+1 old=none value=Q:w
  1 20 spte.set dev=1 mm=A va=a pfn=P write=yes
  1 20 spte.set dev=2 mm=A va=a pfn=P write=no
  0 10 mn.start mm=A start=a end=a+2 event=1
  0 10 mn.started ret=0
  1 20 spte.clear dev=1 mm=A va=a
  0 10 ptl.lock mm=A va=a
  0 10 pte.write mm=A va=a old=P:w value=swap:7
  0 10 tlb.defer mm=A va=a
  0 10 pte.write mm=A va=a+1 old=Q:w value=Q:r
  0 10 ptl.unlock mm=A va=a
  0 10 mn.end mm=A start=a end=a+2 event=1
  0 10 tlb.flush mm=A start=a+1 end=a+2
  0 10 lru.add pfn=P
  1 11 lru.isolate pfn=Q ok=yes
  0 10 lock.try pfn=P ok=yes
  1 11 lock.wait pfn=P
  0 10 lock.release pfn=P
  1 11 lock.acquired pfn=P ok=yes
  0 10 lru.drain
  1 11 lru.putback pfn=Q
  1 11 tlb.flush mm=A
  1 11 page.free pfn=P order=0
  0 10 mm.exit mm=A
`;

function until(pattern: RegExp): MmState {
  const lines = STORY.trim().split('\n');
  const at = lines.findIndex((line) => pattern.test(line));
  expect(at).toBeGreaterThanOrEqual(0);
  const state = new MmState(FOLDS);
  state.applyAll(events(lines.slice(0, at + 1).join('\n')));
  return state;
}

function bytes(state: MmState): Uint8Array {
  return encodePlain(state.image() as unknown as Plain);
}

describe('secondary MMUs', () => {
  test('what devices map, until they drop it', () => {
    expect(until(/dev=2/).secondary.at(A, VA)).toMatchObject([
      { dev: 1, pfn: P, write: true },
      { dev: 2, pfn: P, write: false },
    ]);
    expect(until(/spte\.clear/).secondary.at(A, VA)).toMatchObject([{ dev: 2 }]);
    expect(until(/mm\.exit/).secondary.any).toBe(false);
  });

  test('an invalidation is open between start and end, and its mm is known to have a notifier', () => {
    expect(until(/mn\.started/).secondary.over(A, VA + 4096)).toMatchObject([{ pid: 10, endSeq: 0 }]);
    expect(until(/mn\.started/).secondary.recent.get(10)!.startedSeq).toBeGreaterThan(0);
    expect(until(/mn\.end/).secondary.open).toEqual([]);
    expect(until(/mn\.end/).secondary.listening.has(A)).toBe(true);
    expect(until(/mm\.exit/).secondary.listening.has(A)).toBe(false);
  });
});

describe('translations', () => {
  test('PTEs told in full are known, write bit included', () => {
    expect(translate(until(/value=Q:r/), A, VA + 4096)).toMatchObject({
      kind: 'present',
      writeUnknown: false,
    });
    expect(translate(until(/value=swap/), A, VA)).toMatchObject({ kind: 'swap' });
  });

  test('a PTE taken away is stale until a flush covers it', () => {
    expect(until(/tlb\.defer/).tlb.at(A, VA)).toMatchObject({ pfn: P, gone: true, write: true });
    expect(until(/tlb\.defer/).tlb.at(A, VA)!.deferredSeq).toBeGreaterThan(0);
    expect(until(/value=Q:r/).tlb.at(A, VA + 4096)).toMatchObject({ gone: false, deferredSeq: 0 });
    const partly = until(/tlb\.flush .* start/).tlb;
    expect([partly.at(A, VA) !== undefined, partly.at(A, VA + 4096) !== undefined]).toEqual([true, false]);
    expect(until(/tlb\.flush mm=A$/).tlb.clean).toBe(true);
  });

  test('sections of page-table locks', () => {
    expect(until(/ptl\.lock/).tlb.locked([A])).toBe(true);
    expect(until(/ptl\.unlock/).tlb.locked([A])).toBe(false);
  });
});

describe('locks and the LRU', () => {
  test('who holds a page lock, and who waits', () => {
    expect(until(/lock\.wait/).locks.holder(P)?.pid).toBe(10);
    expect(until(/lock\.wait/).locks.waiting(11)?.pfn).toBe(P);
    expect(until(/lock\.release/).locks.holder(P)).toBeUndefined();
    expect(until(/lock\.acquired/).locks.holder(P)?.pid).toBe(11);
    expect(until(/page\.free/).locks.holder(P)).toBeUndefined();
  });

  test('a batch until it drains, an isolation until the putback', () => {
    expect(until(/lru\.add/).lru.of(P)).toMatchObject({ place: 'batch', cpu: 0 });
    expect(until(/lru\.drain/).lru.of(P)).toMatchObject({ place: 'list' });
    expect(until(/lru\.putback/).lru.of(P + 7)).toMatchObject({ place: 'list' });
    expect(until(/page\.free/).lru.of(P)).toBeUndefined();
  });
});

test('lost records: nothing of this is known any more', () => {
  const state = until(/lock\.wait/);
  state.lose(100);
  expect([state.secondary.any, state.secondary.open.length, state.tlb.clean]).toEqual([false, 0, true]);
  expect([...state.locks.held()]).toEqual([]);
  expect(state.lru.of(P)).toBeUndefined();
});

test('an image in the middle goes on as the whole does', () => {
  const all = events(STORY);
  const e = new Cursor();
  for (let cut = 0; cut <= all.count; cut++) {
    const first = new MmState(FOLDS);
    for (let i = 0; i < cut; i++) {
      e.seek(all, i);
      first.apply(e);
    }
    const again = new MmState(FOLDS);
    again.restore(decodePlain(bytes(first)) as unknown as StateImage);
    expect(bytes(again)).toEqual(bytes(first));
    for (let i = cut; i < all.count; i++) {
      e.seek(all, i);
      first.apply(e);
      again.apply(e);
    }
    expect(bytes(again)).toEqual(bytes(first));
  }
});
