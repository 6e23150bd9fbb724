import { describe, expect, test } from 'vitest';
import { decodePlain, encodePlain, type Plain } from '../../src/core/image.ts';
import { entryOf } from '../../src/core/pte.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { MmState, type StateImage } from '../../src/state/state.ts';
import { events } from '../notation.ts';

const STORY = `
  1 20/1 si.on.begin
  1 20/1 si.on.end ret=0
  0 10 si.range entry=swap:7 nr=1 inuse=0 alloc=yes
  0 10 swap.alloc entry=swap:7
  0 10 swap.add.begin pfn=P
  0 10 swapcache.add pfn=P entry=swap:7 ok=yes
  0 10 swap.dup entry=swap:7 usage=1 nr=1
  0 10 swap.dup.end ret=0
  0 10 swap.write pfn=P entry=swap:7
  0 10 wb.start pfn=P
  0 12 swapin.begin mm=B va=b pte=swap:7
  0 12 si.get entry=swap:7
  0 12 si.got ok=yes
  1 20/1 si.off.begin
  1 20/1 si.unuse.begin type=0
  0 12 swapin.end ret=0
  0 11/2 swap.free-cache.begin entry=swap:7 nr=1
  0 11/2 swap.entry-free entry=swap:7 nr=1 usage=1
  0 11/2 swap.entry-free.end left=64
  1 20 swapcache.del pfn=P entry=swap:7
  1 20 swap.slotfree entry=swap:7 nr=1
  1 20/1 si.unuse.end ret=0
  1 20 si.freed type=0
  0 11/2 swap.free-cache.end
  1 20/1 si.off.end ret=0
  1 20/1 si.on.begin
`;
const BATCH = events(STORY);

/** Folds events `from` up to and without `to`. */
function foldOn(s: MmState, from: number, to: number): MmState {
  const e = new Cursor();
  for (let i = from; i < to; i++) {
    e.seek(BATCH, i);
    s.apply(e);
  }
  return s;
}

const after = (count: number): MmState => foldOn(new MmState(FOLDS), 0, count);
const seqOf = (pattern: RegExp): number =>
  STORY.split('\n')
    .filter((line) => line.trim() !== '')
    .findIndex((line) => pattern.test(line)) + 1;
const bytes = (s: MmState): Uint8Array => encodePlain(s.image() as unknown as Plain);

test('a device goes through its phases', () => {
  const phase = (pattern: RegExp): string => after(seqOf(pattern)).swap.devices.get(0).phase;
  expect(phase(/si\.range/)).toBe('on');
  expect(phase(/si\.unuse\.begin/)).toBe('unusing');
  expect(phase(/si\.unuse\.end/)).toBe('dead');
  expect(phase(/si\.freed/)).toBe('freed');
  expect(after(BATCH.count).swap.devices.get(0).phase).toBe('reusable');
});

test('who holds a reference to a device, and who is inside when it is torn down', () => {
  const users = (pattern: RegExp): number => after(seqOf(pattern)).swap.sections.users(0).length;
  expect(users(/si\.get/)).toBe(0);
  expect(users(/si\.got/)).toBe(1);
  expect(users(/swapin\.end/)).toBe(0);
  const { open } = after(seqOf(/si\.freed/)).swap.sections;
  expect(open).toMatchObject([{ of: 'free-cache', freedSeq: seqOf(/si\.freed/), freedPid: 20 }]);
});

test('count and cache presence of a slot are separate facts', () => {
  const slot = (s: MmState) => {
    const row = s.swap.table.find(entryOf(0, 7));
    return { users: s.swap.users(entryOf(0, 7)), cached: row < 0 ? null : s.swap.table.col.cached[row] };
  };
  expect(slot(after(seqOf(/swap\.dup\.end/)))).toEqual({ users: 1, cached: 1 });
  expect(slot(after(seqOf(/entry-free\.end/)))).toEqual({ users: 0, cached: 1 });
  expect(slot(after(seqOf(/swapcache\.del/)))).toEqual({ users: 0, cached: 0 });
  expect(slot(after(seqOf(/slotfree/))).users).toBeNaN();
  // The PTE that was seen to hold the entry is still linked to it.
  expect(slot(after(seqOf(/si\.freed/)))).toEqual({ users: Number.NaN, cached: 0 });
});

describe('counts against the map bytes that are printed', () => {
  const counts = (text: string) => {
    const s = new MmState(FOLDS);
    s.applyAll(events(text));
    return s.swapcount.counts();
  };
  const LIFE =
    '0 10 swap.alloc entry=swap:7\n0 10 swap.dup entry=swap:7 usage=1 nr=1\n0 10 swap.dup.end ret=0\n';
  const FREE =
    '1 11 swap.free-cache.begin entry=swap:7 nr=1\n1 11 swap.entry-free entry=swap:7 nr=1 usage=1\n';

  test('agreed, differing, and nothing to compare with', () => {
    expect(counts(`${LIFE}${FREE}1 11 swap.entry-free.end left=64`)).toEqual({
      compared: 1,
      agreed: 1,
      raced: 0,
      unknown: 0,
    });
    expect(counts(`${LIFE}${FREE}1 11 swap.entry-free.end left=65`)).toEqual({
      compared: 1,
      agreed: 0,
      raced: 0,
      unknown: 0,
    });
    expect(counts(`${FREE}1 11 swap.entry-free.end left=64`)).toEqual({
      compared: 0,
      agreed: 0,
      raced: 0,
      unknown: 1,
    });
  });

  test('raced: another task has announced its free and not done it', () => {
    const other = '2 12 swap.free-cache.begin entry=swap:7 nr=1\n';
    const twice = LIFE + LIFE.slice(LIFE.indexOf('0 10 swap.dup'));
    expect(counts(`${twice}${other}${FREE}1 11 swap.entry-free.end left=65`)).toEqual({
      compared: 1,
      agreed: 0,
      raced: 1,
      unknown: 0,
    });
  });
});

test('a snapshot holds all of it', () => {
  const whole = bytes(after(BATCH.count));
  for (const at of [0, 8, 12, 19, 23]) {
    const restored = new MmState(FOLDS);
    restored.restore(decodePlain(bytes(after(at))) as unknown as StateImage);
    expect(bytes(restored)).toEqual(bytes(after(at)));
    expect(bytes(foldOn(restored, at, BATCH.count))).toEqual(whole);
  }
});

test('lost records: nothing is known of slots, devices and functions entered', () => {
  const s = after(seqOf(/entry-free\.end/));
  s.lose(1000);
  expect(s.swap.users(entryOf(0, 7))).toBeNaN();
  expect(s.swap.sections.size).toBe(0);
  expect(s.swap.devices.get(0).phase).toBe('unknown');
});
