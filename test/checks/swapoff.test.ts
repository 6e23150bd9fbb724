import { expect, test } from 'vitest';
import { parseVariant } from '../../src/variants/parse.ts';
import { judge, told, without } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';

/** swapoff is probed at entry and return: its record has a preempt depth of 1 without any lock. */
const OFF = '  1 20/1 si.off.begin\n  1 20/1 si.unuse.begin type=0\n';
const TEARDOWN = '  1 20/1 si.unuse.end ret=0\n  1 20 si.freed type=0\n';
const ENTER =
  '  0 10/2 swap.free-cache.begin entry=swap:7 nr=1\n  0 10/2 swap.entry-free entry=swap:7 nr=1 usage=1\n';
const LEFT = '  0 10/2 swap.entry-free.end left=64\n';
const LEAVE = '  0 10/2 swap.free-cache.end\n';
const RACE = `${OFF}${ENTER}${LEFT}${TEARDOWN}${LEAVE}`;
const UNLOCKED = RACE.replaceAll('10/2', '10');

describeCase({
  check: 'swapoff-unprotected-si-use',
  trigger: RACE,
  severity: 'high',
  cause: 'torn-down-inside',
  silent: [
    ['left before the teardown', `${OFF}${ENTER}${LEFT}${LEAVE}${TEARDOWN}`],
    ['entered after it', `${OFF}${TEARDOWN}${ENTER}${LEFT}${LEAVE}`],
    ['of another device', RACE.replace('si.freed type=0', 'si.freed type=1')],
    [
      'the device was refused',
      `${OFF}  0 10/2 swap.free-cache.begin entry=swap:7 nr=1\n  0 10/2 si.get entry=swap:7\n  0 10/2 si.got ok=no\n${TEARDOWN}${LEAVE}`,
    ],
    [
      'a reference was held, and given back before the teardown',
      `${OFF}${ENTER}  0 10/2 si.get entry=swap:7\n  0 10/2 si.got ok=yes\n  0 10/2 si.put entry=swap:7\n${TEARDOWN}${LEAVE}`,
    ],
  ],
  without: [
    ['the teardown', without(RACE, /si\.freed/), 'si.freed'],
    ['the entry', without(RACE, /swap\.free-cache\.begin/), 'swap.free-cache.begin'],
  ],
  suspect: [
    ['no swapoff entry to compare the preempt depth with', without(RACE, /si\.off\.begin/), LOCK_UNKNOWN()],
    [
      'no lock was held: the return may be recorded late',
      UNLOCKED,
      'when the function last looked at the device: the record of its return may be late',
    ],
    [
      'the return is missing',
      without(RACE, /free-cache\.end/),
      'the return of the function: the trace ends before it',
    ],
  ],
});

function LOCK_UNKNOWN(): string {
  return 'whether a spinlock was held: the preempt depth of the flags column, and a probe on swapoff';
}

test('a record from outside shows that the return is missing: the section says nothing', () => {
  const found = judge(`${OFF}${ENTER}${LEFT}  0 10 sys.exit call=1\n${TEARDOWN}${LEAVE}`);
  expect(told(found)).toEqual([]);
});

test('two CPUs closer than their clocks differ are in no order', () => {
  const said = saidBy('swapoff-unprotected-si-use', judge(RACE, { skewNs: 1_000_000 }));
  expect(said).toMatchObject({ verdict: 'suspect', missing: 'the order of two CPUs: declare the clock' });
});

test('without a teardown: a warning only where nobody would wait', () => {
  const alone = `${OFF}${ENTER}${LEFT}${LEAVE}`;
  expect(told(judge(alone))).toEqual([]);
  expect(told(judge(alone, { variant: '6.12' }))).toEqual([]);
  expect(told(judge(alone, { variant: parseVariant('6.12+swapoff=window') }))).toEqual([
    'warning suspect swapoff-unprotected-si-use (lock-that-nobody-waits-for) x1',
  ]);
  expect(told(judge(alone.replaceAll('10/2', '10')))).toEqual([
    'warning suspect swapoff-unprotected-si-use (no-protection) x1',
  ]);
});

test('a reference that may have been put before the teardown is no case', () => {
  const swapin = (end: string) => `${OFF}
  0 10 swapin.begin mm=A va=a pte=swap:7
  0 10 si.get entry=swap:7
  0 10 si.got ok=yes
${TEARDOWN}${end}`;
  const found = judge(swapin('  0 10 swapin.end ret=0'));
  expect(told(found)).toEqual([]);
  expect(found.coverage.get('swapoff-unprotected-si-use')!.missing).toContain(
    'when the device was put: a probe on put_swap_device',
  );
});

const ON = '  1 20 si.on.begin\n  1 20 si.on.end ret=0\n  0 10 swap.alloc entry=swap:7\n';

describeCase({
  check: 'swapoff-uaf-si',
  trigger: `${ON}${OFF}${ENTER}${TEARDOWN}  0 10/2 swap.reclaim.begin entry=swap:7 inuse=0\n${LEAVE}`,
  severity: 'critical',
  cause: 'used-after-teardown',
  silent: [
    ['used before the teardown', `${ON}${OFF}${ENTER}${LEFT}${LEAVE}${TEARDOWN}`],
    [
      'the type is another device by now',
      `${ON}${OFF}${TEARDOWN}  1 20 si.on.begin\n  0 10/2 swap.free-cache.begin entry=swap:7 nr=1\n  0 10 swap.slotfree entry=swap:7 nr=1\n${LEAVE}`,
    ],
  ],
  without: [['the teardown', without(`${ON}${RACE}`, /si\.freed/), 'si.freed']],
  suspect: [
    [
      'inside at the teardown, nothing told of the access',
      `${ON}${RACE}`,
      'a probe on the access itself (swap_map, clusters), or an oops in the trace',
    ],
    [
      'no swapon is seen at all',
      `${OFF}${TEARDOWN}  0 10 swap.slotfree entry=swap:7 nr=1`,
      'si.on.begin: whether it was turned on again',
    ],
  ],
});

test('what a task does with a device that is gone, outside of any section', () => {
  const found = judge(`${ON}${OFF}${TEARDOWN}  0 10 si.use entry=swap:7 what=0`);
  expect(told(found)).toEqual(['critical proven swapoff-uaf-si (used-after-teardown) x1']);
});
