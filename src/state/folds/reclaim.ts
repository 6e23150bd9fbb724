import {
  reclaimBegin,
  reclaimEnd,
  reclaimPages,
  removeMapping,
  removeMappingEnd,
} from '../../events/index.ts';
import { RECLAIM_PAGES } from '../../events/reclaim.ts';
import { type Fold, fold } from '../state.ts';
import { endGeneration } from './refs.ts';

export const reclaimFolds: readonly Fold[] = [
  fold(reclaimBegin, (_s, e, task) => {
    task.reclaim |= 1 << e.args[e.at + reclaimBegin.at.how]!;
  }),
  fold(reclaimEnd, (_s, e, task) => {
    task.reclaim &= ~(1 << e.args[e.at + reclaimEnd.at.how]!);
  }),
  fold(reclaimPages, (_s, _e, task) => {
    task.reclaim |= 1 << RECLAIM_PAGES;
  }),
  fold(removeMapping, (_s, e, task) => {
    task.removing = e.args[e.at + removeMapping.at.pfn]!;
  }),
  fold(removeMappingEnd, (s, e, task) => {
    const told = e.args[e.at + removeMappingEnd.at.pfn]!;
    const pfn = Number.isNaN(told) ? task.removing : told;
    task.removing = Number.NaN;
    if (e.args[e.at + removeMappingEnd.at.ok] !== 1 || !(pfn >= 0)) return;
    // Frozen and out of the cache: reclaim frees it without another change of the count.
    const row = s.pages.find(pfn);
    if (row >= 0) endGeneration(s, e, row);
  }),
];
