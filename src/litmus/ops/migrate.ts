import { PIN_BIAS } from '../../events/flags.ts';
import {
  migrateEntryRemoved,
  migrateEntrySet,
  migrateMapping,
  migrateMappingEnd,
  migrateRestore,
  migrateUndo,
  migrateUnmap,
  migrateUnmapEnd,
} from '../../events/index.ts';
import { mmOf, pfnOf, pteWord, vaOf } from '../addresses.ts';
import { MIGRATING, PRESENT } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addMap,
  addRef,
  allocPage,
  delMap,
  isolate,
  lockPtl,
  ptlFree,
  putback,
  setPte,
  trylock,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { rangeEnd, rangeStart } from '../notify.ts';
import { op } from '../op.ts';
import { flushTlb } from '../tlb.ts';

/** Registers: the copy (+ 1), what the PTE was (bits), whether a notification is open. */
const COPY = 0;
const WAS = 1;
const RANGED = 2;
const WRITE = 1;
const EXCL = 2;
/** Result of a migration whose count test fails (-EAGAIN). */
const AGAIN = -11;

const src = (m: Machine): number => m.args[0]!;
const mmArg = (m: Machine): number => m.args[1]!;
const vaArg = (m: Machine): number => m.args[2]!;
const P = (m: Machine): string => m.program.pages[src(m)]!;

/** Args: page, mm, va. */
export const migrate = op(
  'migrate',
  ['page', 'mm', 'va'],
  'a page goes over to another one (move_pages, NUMA, compaction)',
  {
    isolate: {
      text: (m) => `migration: isolates ${P(m)}`,
      run: (m) => (isolate(m, src(m)) ? 'lock' : null),
    },
    lock: {
      text: (m) => `migration: tries the lock of ${P(m)}`,
      run: (m) => (trylock(m, src(m)) ? 'entry' : 'putback'),
    },
    entry: {
      text: (m) => `migration: PTL, an entry takes the place of the PTE of ${P(m)}`,
      ready: (m) => ptlFree(m, mmArg(m)),
      run(m) {
        const [page, mm, va] = [src(m), mmArg(m), vaArg(m)];
        if (m.pte(mm, va, 'kind') !== PRESENT || m.pte(mm, va, 'frame') !== page) return 'unlock';
        m.setReg(RANGED, rangeStart(m, mm, va) ? 1 : 0);
        const write = m.pte(mm, va, 'write');
        m.setReg(WAS, (write === 1 ? WRITE : 0) | (m.page(page, 'ae') === 1 ? EXCL : 0));
        lockPtl(m, mm, va);
        m.emit(migrateUnmap, pfnOf(page), mmOf(mm), vaOf(va));
        // folio_try_share_anon_rmap_pte: an exclusive page that may be pinned stays as it is (5.19 on).
        const kept = (m.reg(WAS) & EXCL) !== 0 && m.page(page, 'ref') >= PIN_BIAS;
        if (kept && !m.rules.is('migrate', 'uncounted')) {
          m.emit(migrateUnmapEnd, 0);
          unlockPtl(m, mm, va);
          return 'unlock';
        }
        setPte(m, mm, va, { kind: MIGRATING, frame: page, write });
        if (m.sink !== null) m.emit(migrateEntrySet, vaOf(va), ...pteWord(m, mm, va));
        const late = m.rules.is('tlb', 'migrate-late') || m.rules.is('migrate', 'unflushed');
        if (!late) flushTlb(m, mm, va);
        delMap(m, page, mm);
        m.setPage(page, 'ae', 0);
        addRef(m, page, -1);
        unlockPtl(m, mm, va);
        m.emit(migrateUnmapEnd, 1);
        return m.rules.is('tlb', 'migrate-late') ? 'flush' : 'count';
      },
    },
    flush: {
      text: (m) => `migration: flushes ${m.program.vas[vaArg(m)]} on every CPU`,
      run(m) {
        flushTlb(m, mmArg(m), vaArg(m));
        return m.reg(COPY) > 0 ? 'map' : 'count';
      },
    },
    count: {
      text: (m) => `migration: are there other references to ${P(m)}? copies it if there are none`,
      run(m) {
        const page = src(m);
        const expected = 1 + (m.page(page, 'sc') !== 0 ? 1 : 0);
        const dst = allocPage(m, m.page(page, 'content'));
        m.emit(migrateMapping, pfnOf(page), pfnOf(dst), 0);
        const ok = m.page(page, 'ref') === expected || m.rules.is('migrate', 'uncounted');
        m.emit(migrateMappingEnd, ok ? 0 : AGAIN);
        if (ok) {
          m.setReg(COPY, dst + 1);
          return m.rules.is('migrate', 'unflushed') ? 'flush' : 'map';
        }
        addRef(m, dst, -1);
        return m.rules.is('migrate', 'unrestored') ? 'unlock' : 'map';
      },
    },
    map: {
      text: (m) => `migration: PTL, the entry becomes a PTE of ${m.reg(COPY) > 0 ? 'the copy' : P(m)}`,
      ready: (m) => ptlFree(m, mmArg(m)),
      run(m) {
        const [mm, va] = [mmArg(m), vaArg(m)];
        const page = m.reg(COPY) > 0 ? m.reg(COPY) - 1 : src(m);
        lockPtl(m, mm, va);
        if (m.pte(mm, va, 'kind') === MIGRATING) {
          m.emit(migrateRestore, pfnOf(page), mmOf(mm), vaOf(va));
          addRef(m, page, 1);
          addMap(m, page, mm, va, (m.reg(WAS) & EXCL) !== 0);
          setPte(m, mm, va, { kind: PRESENT, frame: page, write: m.reg(WAS) & WRITE });
          if (m.sink !== null) m.emit(migrateEntryRemoved, vaOf(va), ...pteWord(m, mm, va));
        }
        unlockPtl(m, mm, va);
        return 'unlock';
      },
    },
    unlock: {
      text: (m) => `migration: unlocks ${P(m)}`,
      run(m) {
        if (m.reg(COPY) === 0) m.emit(migrateUndo, pfnOf(src(m)));
        if (m.reg(RANGED) === 1) rangeEnd(m, mmArg(m), vaArg(m));
        unlockPage(m, src(m));
        return 'putback';
      },
    },
    putback: {
      text: (m) => (m.reg(COPY) > 0 ? `migration: frees ${P(m)}` : `migration: puts ${P(m)} back`),
      run(m) {
        if (m.reg(COPY) === 0) {
          putback(m, src(m));
          return null;
        }
        m.setPage(src(m), 'iso', 0);
        addRef(m, src(m), -1);
        // The allocator's reference of the copy was migration's own.
        addRef(m, m.reg(COPY) - 1, -1);
        return null;
      },
    },
  },
);
