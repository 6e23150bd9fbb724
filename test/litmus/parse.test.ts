import { describe, expect, test } from 'vitest';
import { OPS, parse } from '../../src/litmus/parse.ts';
import { hashOf } from '../../src/litmus/schedule.ts';
import { ScenarioError } from '../../src/litmus/tokens.ts';
import { CATALOGUE } from './catalogue.ts';

const GOOD = `litmus example   # a comment
title Two words
origin a mail
requires ksm=never-reuse|reuse+freeze
mm A B
va v
slot e
page P clean exclusive
map A v P ro
swapped B v e
hold dma A v pin write P
device d A

thread app A cpu 2
  write A v
  put dma

thread kswapd reclaim
  look P

expect
  cow=trylock|hugh ksm=absent: some unexpected-cow may missed-cow
  otherwise: nothing
`;

/** The message for a text whose line is replaced. */
function complaint(from: string, to: string): string {
  try {
    parse(GOOD.replace(from, to));
  } catch (error) {
    expect(error).toBeInstanceOf(ScenarioError);
    return (error as ScenarioError).message;
  }
  return 'no complaint';
}

test('a scenario is read with all that it says', () => {
  const program = parse(GOOD);
  expect(program).toMatchObject({
    name: 'example',
    title: 'Two words',
    origin: 'a mail',
    requires: [{ axis: 'ksm', values: ['never-reuse', 'reuse+freeze'] }],
    mms: ['A', 'B'],
    holds: [{ name: 'dma', pin: true, write: true, initial: true }],
  });
  expect(program.threads.map(({ name, cpu, mm, reclaim }) => [name, cpu, mm, reclaim])).toEqual([
    ['app', 2, 0, false],
    ['kswapd', 1, -1, true],
  ]);
  expect(program.threads[0]!.statements.map(({ text, line }) => [text, line])).toEqual([
    ['write A v', 15],
    ['put dma', 16],
  ]);
  // One PTE and one pin; the allocator's reference is the PTE's.
  expect(program.initial[program.layout.page(0, 'ref')]).toBe(1025);
  expect(program.initial[program.layout.slot(0, 'count')]).toBe(1);
});

describe('complaints name the line, the column and what was expected', () => {
  test.each([
    [
      'litmus example',
      'scenario example',
      "line 1, column 1: expected 'litmus NAME' first, found 'scenario'",
    ],
    ['mm A B', 'mm A A', "line 5, column 6: an mm 'A' is declared twice"],
    ['map A v P ro', 'map A v Q ro', "line 9, column 9: expected a page (P), found 'Q'"],
    [
      'map A v P ro',
      'map A v P',
      'line 9, column 10: expected a protection (ro, rw), found the end of the line',
    ],
    ['map A v P ro', 'map A v P ro now', "line 9, column 14: expected the end of the line, found 'now'"],
    ['swapped B v e', 'swapped A v e', 'line 10, column 13: expected an address that is still empty in A'],
    ['  put dma', '  put dna', "line 16, column 7: expected a reference (dma), found 'dna'"],
    ['requires ksm=', 'requires kms=', 'line 4, column 10: expected an axis (variant, cow, '],
    ['cow=trylock|hugh', 'cow=trylock|huge', 'line 22, column 3: expected a value of cow (pc, trylock, '],
    [
      'some unexpected-cow',
      'often unexpected-cow',
      'line 22, column 32: expected how often (some, all, may, nothing)',
    ],
    [
      'may missed-cow',
      'may miss-cow',
      "line 22, column 56: expected a divergence, found 'miss-cow'; did you mean 'missed-cow'?",
    ],
    ['may missed-cow', 'may unexpected-cow', 'line 22, column 56: unexpected-cow is told twice'],
    ['  write A v', '  wipe A v', "line 15, column 3: expected a statement, found 'wipe'; did you mean"],
    ['  write A v', '  fork A A', "line 15, column 10: expected another one than 'A'"],
    ['  look P', '', 'line 18, column 1: expected 1 to 24 indented statements in thread kswapd, found 0'],
    ['map A v P ro', 'map A v P rw\nmap B v P ro', 'line 10, column 13: P would be writable in A'],
    ['pin write P', 'pin write P\npage Q\ncache P e\ncache Q e', 'e has a page in the swap cache already'],
    ['map A v P ro', 'map A v P ro\ntlb B v', "expected an address that B maps: declare 'map' before 'tlb'"],
    ['map A v P ro\n', '', 'line 10, column 25: reference dma is held on a page that v of A does not map'],
    ['  otherwise: nothing', '  otherwise: nothing\nmm C', "'mm' is declared before the first thread"],
    ['otherwise: nothing', 'otherwise nothing', "line 23, column 20: expected ':' behind the conditions"],
    ['page P clean', 'page P cleen', 'line 8, column 8: expected a property of the page ('],
    [
      'thread app A cpu 2',
      'thread app A cpu two',
      "line 14, column 18: expected the number of its CPU, found 'two'",
    ],
    [
      '  look P',
      'look P',
      "line 19, column 1: expected an indented line, 'thread' or 'expect', found 'look'",
    ],
    [
      'device d A',
      'gadget d A',
      'line 12, column 1: expected a declaration (title, origin, about, requires, mm, ',
    ],
  ])('%s -> %s', (from, to, message) => {
    expect(complaint(from, to)).toContain(message);
  });

  test('an empty text, and one without threads', () => {
    expect(() => parse('')).toThrow("expected 'litmus NAME' first, found nothing");
    expect(() => parse('litmus x\nmm A\nva v\n')).toThrow('expected a thread');
    expect(() => parse('litmus x\nthread t\n  swapoff\n')).toThrow(
      "expected an mm before the threads ('mm A')",
    );
  });
});

test('what a scenario does has a hash that its title, comments and expectations do not change', () => {
  const hash = hashOf(parse(GOOD));
  expect(hashOf(parse(GOOD.replace('Two words', 'Three more words').replace(' may missed-cow', '')))).toBe(
    hash,
  );
  expect(hashOf(parse(GOOD.replace('put dma', 'dma-write dma')))).not.toBe(hash);
});

test('every statement says what it does, and is used by a scenario that is shipped', () => {
  const used = new Set(
    [...CATALOGUE.values()].flatMap(({ threads }) =>
      threads.flatMap(({ statements }) => statements.map(({ op }) => op.name)),
    ),
  );
  for (const [name, op] of OPS) {
    expect(op.meaning.length, name).toBeGreaterThan(10);
    expect(op.name).toBe(name);
  }
  expect([...OPS.keys()].filter((name) => !used.has(name))).toEqual([]);
});
