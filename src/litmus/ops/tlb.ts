import { ACCESS_CPU } from '../../events/access.ts';
import { access, moveTables, protectBegin, sysEnter, sysExit } from '../../events/index.ts';
import { SYSCALLS } from '../../events/task.ts';
import { mmOf, pfnOf, vaOf } from '../addresses.ts';
import { PRESENT } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { EMPTY, isWritable, lockPtl, ptlFree, setPte, setWrite, store, unlockPtl } from '../memory.ts';
import { op, type Phase } from '../op.ts';
import { flushDeferred, flushesMoved, flushTlb } from '../tlb.ts';
import { storedValue } from './write.ts';

const MPROTECT = SYSCALLS.indexOf('mprotect');
const MREMAP = SYSCALLS.indexOf('mremap');
const PAGE = 4096;

const mmArg = (m: Machine): number => m.args[0]!;
const vaArg = (m: Machine): number => m.args[1]!;

/** Takes mmap_lock for writing, as a system call begins. */
function enter(call: number, next: string, name: string): Phase {
  return {
    text: (m) => `${name} of ${m.program.vas[vaArg(m)]}: mmap_lock taken`,
    ready: (m) => m.get(m.at.mm(mmArg(m), 'mmap')) === 0 && m.get(m.at.mm(mmArg(m), 'readers')) === 0,
    run(m) {
      m.set(m.at.mm(mmArg(m), 'mmap'), m.self + 1);
      m.emit(sysEnter, call, vaOf(vaArg(m)), PAGE);
      return next;
    },
  };
}

function leave(call: number, name: string): Phase {
  return {
    text: () => `${name} returns`,
    run(m) {
      m.set(m.at.mm(mmArg(m), 'mmap'), 0);
      m.emit(sysExit, call, 0);
      return null;
    },
  };
}

function flush(next: string | null): Phase {
  return {
    text: (m) => `flushes ${m.program.vas[vaArg(m)]} on every CPU`,
    run(m) {
      flushTlb(m, mmArg(m), vaArg(m));
      return next;
    },
  };
}

export const mprotect = op('mprotect', ['mm', 'va'], 'mprotect takes the right to write from an address', {
  enter: enter(MPROTECT, 'protect', 'mprotect'),
  protect: {
    text: (m) => `PTL, ${m.program.vas[vaArg(m)]} becomes read-only if it is mapped`,
    ready: (m) => ptlFree(m, mmArg(m)),
    run(m) {
      const [mm, va] = [mmArg(m), vaArg(m)];
      lockPtl(m, mm, va);
      flushDeferred(m, mm, va);
      m.emit(protectBegin, mmOf(mm), vaOf(va), vaOf(va) + PAGE, 0, 0);
      const writable = m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'write') === 1;
      if (writable) setWrite(m, mm, va, 0);
      unlockPtl(m, mm, va);
      return writable && !m.rules.is('tlb', 'protect-unflushed') ? 'flush' : 'leave';
    },
  },
  flush: flush('leave'),
  leave: leave(MPROTECT, 'mprotect'),
});

/** Args: mm, from, to. */
export const mremap = op('mremap', ['mm', 'va', 'va'], 'mremap moves the PTE of an address to another one', {
  enter: enter(MREMAP, 'move', 'mremap'),
  move: {
    text: (m) => `PTLs, the PTE of ${m.program.vas[vaArg(m)]} moves to ${m.program.vas[m.args[2]!]}`,
    ready: (m) => ptlFree(m, mmArg(m)),
    run(m) {
      const [mm, from, to] = [mmArg(m), vaArg(m), m.args[2]!];
      if (m.pte(mm, from, 'kind') !== PRESENT) return 'leave';
      lockPtl(m, mm, to);
      flushDeferred(m, mm, from);
      m.emit(moveTables, mmOf(mm), vaOf(from), vaOf(to), PAGE);
      const [frame, write] = [m.pte(mm, from, 'frame'), m.pte(mm, from, 'write')];
      setPte(m, mm, from, EMPTY);
      setPte(m, mm, to, { kind: PRESENT, frame, write });
      if (flushesMoved(m)) flushTlb(m, mm, from);
      unlockPtl(m, mm, to);
      return flushesMoved(m) ? 'leave' : 'flush';
    },
  },
  flush: flush('leave'),
  leave: leave(MREMAP, 'mremap'),
});

export const storeCached = op(
  'store-cached',
  ['mm', 'va'],
  'a CPU stores by what its TLB has for an address, whatever the PTE says by now',
  {
    ST: {
      text: (m) => `stores to ${m.program.vas[vaArg(m)]} by its TLB`,
      run(m) {
        const [mm, va] = [mmArg(m), vaArg(m)];
        // The checks compare the store with the PTE and with the call that changed it: their order matters.
        m.pte(mm, va, 'kind');
        m.pte(mm, va, 'write');
        m.get(m.at.mm(mm, 'mmap'));
        const page = m.pte(mm, va, 'tlb') - 1;
        if (page < 0 || m.pte(mm, va, 'tlbw') === 0) {
          // No translation: the walk finds a writable PTE, or the CPU faults, which is another story.
          if (isWritable(m, mm, va)) store(m, mm, va, storedValue(m));
          return null;
        }
        m.setPage(page, 'content', storedValue(m));
        m.setPage(page, 'dirty', 1);
        m.emit(access, ACCESS_CPU, mmOf(mm), vaOf(va), pfnOf(page), 1, storedValue(m));
        return null;
      },
    },
  },
);

/** userfaultfd write-protects: the flush comes when the whole range is done. */
export const uffdWp = op('uffd-wp', ['mm', 'va'], 'userfaultfd write-protects an address', {
  protect: {
    text: (m) => `userfaultfd: ${m.program.vas[vaArg(m)]} becomes read-only and uffd-wp`,
    ready: (m) => ptlFree(m, mmArg(m)) && m.get(m.at.mm(mmArg(m), 'mmap')) === 0,
    run(m) {
      const [mm, va] = [mmArg(m), vaArg(m)];
      if (m.pte(mm, va, 'kind') !== PRESENT) return null;
      m.add(m.at.mm(mm, 'readers'), 1);
      lockPtl(m, mm, va);
      m.emit(protectBegin, mmOf(mm), vaOf(va), vaOf(va) + PAGE, 1, 0);
      m.set(m.at.pte(mm, va, 'armed'), 1);
      setWrite(m, mm, va, 0);
      unlockPtl(m, mm, va);
      return 'flush';
    },
  },
  flush: {
    text: (m) => `userfaultfd: flushes ${m.program.vas[vaArg(m)]} on every CPU`,
    run(m) {
      flushTlb(m, mmArg(m), vaArg(m));
      m.add(m.at.mm(mmArg(m), 'readers'), -1);
      return null;
    },
  },
});

export const uffdUnwp = op(
  'uffd-unwp',
  ['mm', 'va'],
  'userfaultfd lifts the write-protection of an address',
  {
    lift: {
      text: (m) => `userfaultfd: ${m.program.vas[vaArg(m)]} is no more uffd-wp, still read-only`,
      ready: (m) => ptlFree(m, mmArg(m)) && m.pte(mmArg(m), vaArg(m), 'armed') === 1,
      run(m) {
        const [mm, va] = [mmArg(m), vaArg(m)];
        lockPtl(m, mm, va);
        m.emit(protectBegin, mmOf(mm), vaOf(va), vaOf(va) + PAGE, 0, 0);
        m.set(m.at.pte(mm, va, 'armed'), 0);
        setWrite(m, mm, va, 0);
        unlockPtl(m, mm, va);
        return null;
      },
    },
  },
);
