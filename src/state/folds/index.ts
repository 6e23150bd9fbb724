import type { Fold } from '../state.ts';
import { collapseFolds } from './collapse.ts';
import { declaredFolds } from './declared.ts';
import { exclusiveFolds } from './exclusive.ts';
import { faultFolds } from './faults.ts';
import { forkFolds } from './fork.ts';

import { gupFolds } from './gup.ts';
import { ksmFolds } from './ksm.ts';
import { lockFolds } from './locks.ts';
import { migrateFolds } from './migrate.ts';
import { pteFolds } from './ptes.ts';
import { reclaimFolds } from './reclaim.ts';
import { refFolds } from './refs.ts';
import { rmapFolds } from './rmap.ts';
import { secondaryFolds } from './secondary.ts';
import { swapFolds } from './swap.ts';
import { swapDeviceFolds } from './swap-devices.ts';
import { taskFolds } from './tasks.ts';
import { toldPteFolds } from './told-ptes.ts';

/** What every kind of event does to the state. A new family of events: one file, one line here. */
export const FOLDS: readonly Fold[] = [
  ...taskFolds,
  ...refFolds,
  ...rmapFolds,
  ...pteFolds,
  ...faultFolds,
  ...forkFolds,
  ...gupFolds,
  ...swapFolds,
  ...swapDeviceFolds,
  ...reclaimFolds,
  ...collapseFolds,
  ...migrateFolds,
  ...ksmFolds,
  ...declaredFolds,
  ...toldPteFolds,
  ...secondaryFolds,
  ...lockFolds,
  ...exclusiveFolds,
];
