import {
  collapseBegin,
  collapseEnd,
  migrateRestore,
  migrateUnmap,
  migrateUnmapEnd,
  reclaimBegin,
  reclaimEnd,
  reclaimPages,
  removeMapping,
  removeMappingEnd,
  splitFolio,
  splitFolioEnd,
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
  fold(collapseBegin, (_s, e, task) => {
    task.collapse = {
      mm: e.args[e.at + collapseBegin.at.mm]!,
      va: e.args[e.at + collapseBegin.at.va]!,
      seq: e.seq,
    };
  }),
  fold(collapseEnd, (_s, _e, task) => {
    task.collapse = null;
  }),
  fold(splitFolio, (s, e) => {
    const row = s.pages.find(e.args[e.at + splitFolio.at.pfn]!);
    if (row >= 0) s.pages.forget(row);
  }),
  fold(splitFolioEnd, (_s, _e, task) => {
    task.split = null;
  }),
  fold(migrateUnmap, (_s, e, task) => {
    const { pfn, mm, va } = migrateUnmap.at;
    task.unmap = {
      pfn: e.args[e.at + pfn]!,
      mm: e.args[e.at + mm]!,
      va: e.args[e.at + va]!,
      seq: e.seq,
      migrate: true,
    };
  }),
  fold(migrateUnmapEnd, (_s, _e, task) => {
    task.unmap = null;
  }),
  fold(migrateRestore, (_s, e, task) => {
    const { mm, va } = migrateRestore.at;
    // Its return is not probed: the bracket is good for the PTE write that follows at once, which must match its index.
    task.unmap = {
      pfn: Number.NaN,
      mm: e.args[e.at + mm]!,
      va: e.args[e.at + va]!,
      seq: e.seq,
      migrate: true,
    };
  }),
];
