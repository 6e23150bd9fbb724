import { ACCESS_CPU } from '../../events/access.ts';
import { FAULT_USER } from '../../events/flags.ts';
import { access, faultBegin } from '../../events/index.ts';
import { mmOf, pfnOf, vaOf } from '../addresses.ts';
import { PRESENT, SWAPPED } from '../layout.ts';
import { ptlFree } from '../memory.ts';
import { op } from '../op.ts';
import { swapinPhases } from './swapin.ts';

export const read = op('read', ['mm', 'va'], 'a read, with a swap-in if one is needed', {
  F0: {
    text: (m) => `reads ${m.program.vas[m.args[1]!]}`,
    ready: (m) =>
      m.get(m.at.mm(m.args[0]!, 'pmd')) === 1 &&
      (m.pte(m.args[0]!, m.args[1]!, 'kind') === PRESENT ||
        (ptlFree(m, m.args[0]!) && m.get(m.at.mm(m.args[0]!, 'mmap')) === 0)),
    run(m) {
      const [mm, va] = [m.args[0]!, m.args[1]!];
      const kind = m.pte(mm, va, 'kind');
      if (kind === SWAPPED) {
        m.add(m.at.mm(mm, 'readers'), 1);
        m.emit(faultBegin, mmOf(mm), vaOf(va), FAULT_USER);
        return 'S0';
      }
      if (kind === PRESENT) {
        const page = m.pte(mm, va, 'frame');
        m.emit(access, ACCESS_CPU, mmOf(mm), vaOf(va), pfnOf(page), 0, m.page(page, 'content'));
      }
      return null;
    },
  },
  ...swapinPhases('F0'),
});
