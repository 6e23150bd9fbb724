import { ACCESS_DEVICE } from '../../events/access.ts';
import { access, spteSet } from '../../events/index.ts';
import { deviceOf, mmOf, pfnOf, vaOf } from '../addresses.ts';
import { PRESENT, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { ptlFree } from '../memory.ts';
import { dropSpte } from '../notify.ts';
import { op, type Phase } from '../op.ts';
import { swapinPhases } from './swapin.ts';
import { storedValue, writePhases } from './write.ts';

/** Args: mm, address, device (the parser puts the mm that the device listens to first). Registers: sequence count, page. */
const SEQ = 4;
const PAGE = 1;

const mm = (m: Machine): number => m.args[0]!;
const va = (m: Machine): number => m.args[1]!;
const dev = (m: Machine): number => m.args[2]!;
const name = (m: Machine): string => m.program.devices[dev(m)]!.name;

/** Whether the driver looks at the sequence count before it sets up a mapping. */
function retries(m: Machine): boolean {
  return m.rules.notifier !== 'none' && !m.rules.is('driver', 'range-noretry');
}

function phases(isWrite: boolean): Readonly<Record<string, Phase>> {
  return {
    use: {
      text: (m) => `${name(m)} ${isWrite ? 'writes' : 'reads'} ${m.program.vas[va(m)]}`,
      ready: (m) =>
        m.get(m.at.spte(dev(m), va(m), 'frame')) !== 0 ||
        !retries(m) ||
        m.get(m.at.mm(mm(m), 'mnActive')) === 0,
      run(m) {
        const page = m.get(m.at.spte(dev(m), va(m), 'frame')) - 1;
        if (page < 0) {
          m.setReg(SEQ, m.get(m.at.mm(mm(m), 'mnSeq')));
          return 'gup';
        }
        const moved = m.pte(mm(m), va(m), 'kind') === PRESENT && m.pte(mm(m), va(m), 'frame') !== page;
        if (isWrite) {
          if (moved) {
            m.flag('secondary-mmu-lost-write');
            m.flag('secondary-mmu-stale-mapping');
          }
          m.setPage(page, 'content', storedValue(m));
          if (!moved) m.set(m.at.pte(mm(m), va(m), 'value'), storedValue(m));
        } else if (moved && m.page(page, 'content') !== m.pte(mm(m), va(m), 'value'))
          m.flag('secondary-mmu-stale-mapping');
        m.emit(
          access,
          ACCESS_DEVICE,
          mmOf(mm(m)),
          vaOf(va(m)),
          pfnOf(page),
          isWrite ? 1 : 0,
          m.cells[m.at.page(page, 'content')]!,
        );
        return null;
      },
    },
    gup: {
      text: (m) => `${name(m)} faults: GUP under the PTL`,
      ready: (m) =>
        ptlFree(m, mm(m)) && m.get(m.at.mm(mm(m), 'pmd')) === 1 && m.get(m.at.mm(mm(m), 'mmap')) === 0,
      run(m) {
        const isPresent = m.pte(mm(m), va(m), 'kind') === PRESENT;
        if (isWrite && !(isPresent && m.pte(mm(m), va(m), 'write') === 1)) return 'F0';
        if (!isPresent) {
          if (m.pte(mm(m), va(m), 'kind') !== SWAPPED) return null;
          m.add(m.at.mm(mm(m), 'readers'), 1);
          return 'S0';
        }
        m.setReg(PAGE, m.pte(mm(m), va(m), 'frame'));
        return 'install';
      },
    },
    install: {
      text: (m) => `${name(m)} maps ${m.program.pages[m.reg(PAGE)] ?? `N${m.reg(PAGE)}`}`,
      run(m) {
        const late = m.get(m.at.mm(mm(m), 'mnActive')) > 0 || m.get(m.at.mm(mm(m), 'mnSeq')) !== m.reg(SEQ);
        if (retries(m) && late) return 'use';
        m.set(m.at.spte(dev(m), va(m), 'frame'), m.reg(PAGE) + 1);
        m.emit(spteSet, deviceOf(dev(m)), mmOf(mm(m)), vaOf(va(m)), pfnOf(m.reg(PAGE)), isWrite ? 1 : 0);
        return 'use';
      },
    },
    ...writePhases('gup'),
    ...swapinPhases('gup'),
  };
}

export const deviceRead = op(
  'device-read',
  ['device', 'va'],
  'a secondary MMU reads, with a fault if it maps nothing',
  phases(false),
);
export const deviceWrite = op(
  'device-write',
  ['device', 'va'],
  'a secondary MMU writes, with a fault if it maps nothing',
  phases(true),
);

export const lateInvalidate = op(
  'late-invalidate',
  ['device', 'va'],
  'an invalidation that the driver put off is done',
  {
    drop: {
      text: (m) => `${name(m)} drops its mapping, late`,
      ready: (m) => m.get(m.at.spte(dev(m), va(m), 'queued')) === 1,
      run(m) {
        m.set(m.at.spte(dev(m), va(m), 'queued'), 0);
        dropSpte(m, dev(m), va(m));
        return null;
      },
    },
  },
);
