import { expect, test } from 'vitest';
import { Runner } from '../../../src/checks/runner.ts';
import { Lineage } from '../../../src/compare/diff/lineage.ts';
import { FOLDS } from '../../../src/state/folds/index.ts';
import { MmState } from '../../../src/state/state.ts';
import { events } from '../../notation.ts';

/** The lineage behind some events. */
function lineageOf(text: string): Lineage {
  const lineage = new Lineage();
  const watches = [lineage.watch()];
  new Runner(new MmState(FOLDS), [], { declared: null, kernel: () => 612, watches }).run(events(text));
  return lineage;
}

/** Names of the tasks with these pids, called by a table. */
function names(text: string, comms: Readonly<Record<number, string>>, byExec = true): string[] {
  const lineage = lineageOf(text);
  const named = lineage.names((pid) => comms[pid] ?? null, byExec);
  return Object.keys(comms).map((pid) => named.get(lineage.of(Number(pid), 1000))!);
}

const SHELL = `
  0 10 task.fork parent=10 child=20
  0 20 task.exec pid=20 oldpid=20
  0 20 task.fork parent=20 child=30
  0 20 task.fork parent=20 child=31
  0 31 task.fork parent=31 child=40
`;
const COMMS = { 10: 'sh', 20: 'wl', 30: 'wl', 31: 'wl', 40: 'helper' };

test('a task is its way down from the last exec', () => {
  expect(names(SHELL, COMMS)).toEqual(['sh#1', 'wl#1', 'wl#1/wl#1', 'wl#1/wl#2', 'wl#1/wl#2/helper#1']);
});

test('without execs it is its way down from the first task that was seen', () => {
  const told = ['sh#1', 'sh#1/wl#1', 'sh#1/wl#1/wl#1', 'sh#1/wl#1/wl#2', 'sh#1/wl#1/wl#2/helper#1'];
  expect(names(SHELL, COMMS, false)).toEqual(told);
  const without = SHELL.replace(/.*task\.exec.*\n/, '');
  expect(names(without, COMMS)).toEqual(told);
  expect(lineageOf(without).tells.execs).toBe(false);
});

test('children of another name, and tasks of somebody else, change no name', () => {
  const crowd = SHELL.replace(
    '  0 20 task.fork parent=20 child=30',
    `  1 99 task.fork parent=99 child=98
  0 20 task.fork parent=20 child=29
  0 20 task.fork parent=20 child=30`,
  );
  expect(names(crowd, { ...COMMS, 29: 'other', 98: 'wl', 99: 'cron' })).toEqual([
    ...names(SHELL, COMMS).slice(0, 2),
    'wl#1/other#1',
    ...names(SHELL, COMMS).slice(2),
    'cron#1/wl#1',
    'cron#1',
  ]);
});

test('a fork that two events tell is one, and a pid that comes again is another task', () => {
  const twice = `
  0 20 task.new pid=30 vm=no thread=no
  0 20 task.fork parent=20 child=30
  0 30 task.exit pid=30
  0 20 task.new pid=30 vm=no thread=no
  0 20 task.fork parent=20 child=30`;
  expect(names(twice, { 20: 'wl', 30: 'wl' })).toEqual(['wl#1', 'wl#1/wl#2']);
});

test('pages lie in the mapping that their task, or the parent before the fork, made', () => {
  const lineage = lineageOf(`
  0 20 sys.enter call=mmap a0=0 a1=8192
  0 20 sys.exit call=mmap ret=1048576
  0 20 sys.enter call=mmap a0=0 a1=16384
  0 20 sys.exit call=mmap ret=2097152
  0 20 task.fork parent=20 child=30
  0 20 sys.enter call=munmap a0=2097152 a1=16384
  0 20 sys.exit call=munmap ret=0
  0 30 sys.enter call=mmap a0=0 a1=4096
  0 30 sys.exit call=mmap ret=-12`);
  const at = (pid: number, va: number): string | null => {
    const region = lineage.page(lineage.of(pid, 100), va)!.region;
    return region === null ? null : `${region.maker.pid}: ${region.ordinal}`;
  };
  expect([at(20, 1_052_672), at(20, 2_097_152), at(30, 2_097_152), at(30, 5_000_000)]).toEqual([
    '20: 1',
    null,
    '20: 2',
    null,
  ]);
  expect(lineage.page(lineage.of(30, 100), Number.NaN)).toBeNull();
});
