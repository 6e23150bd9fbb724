import {
  mnEnd,
  mnInvalidate,
  mnRelease,
  mnStart,
  mnStarted,
  spteClear,
  spteSet,
} from '../../events/index.ts';
import { type Fold, fold } from '../state.ts';

/** What devices map, and the invalidations that the MM sends them. */
export const secondaryFolds: readonly Fold[] = [
  fold(mnStart, (s, e, task) => {
    const { mm, start, end, event } = mnStart.at;
    const pointer = e.args[e.at + mm]!;
    if (Number.isNaN(pointer)) return;
    s.ptes.mm(pointer, e.seq);
    s.secondary.begin({
      mm: pointer,
      start: e.args[e.at + start]!,
      end: e.args[e.at + end]!,
      event: e.args[e.at + event]!,
      pid: task.pid,
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      startedSeq: 0,
      endSeq: 0,
    });
  }),
  fold(mnStarted, (s, e, task) => {
    const range = s.secondary.recent.get(task.pid);
    if (range !== undefined && range.endSeq === 0) range.startedSeq = e.seq;
  }),
  fold(mnEnd, (s, e, task) => {
    const { mm, start, end } = mnEnd.at;
    s.secondary.end(task.pid, e.args[e.at + mm]!, e.args[e.at + start]!, e.args[e.at + end]!, e.seq);
  }),
  fold(mnInvalidate, (s, e) => {
    const pointer = e.args[e.at + mnInvalidate.at.mm]!;
    if (Number.isNaN(pointer)) return;
    s.ptes.mm(pointer, e.seq);
    if (!s.secondary.listening.has(pointer)) s.secondary.listening.set(pointer, e.seq);
  }),
  fold(mnRelease, (s, e) => s.secondary.forgetMm(e.args[e.at + mnRelease.at.mm]!)),
  fold(spteSet, (s, e, task) => {
    const { dev, mm, va, pfn, write } = spteSet.at;
    const pointer = e.args[e.at + mm]!;
    s.ptes.mm(pointer, e.seq);
    s.secondary.set({
      dev: e.args[e.at + dev]!,
      mm: pointer,
      va: e.args[e.at + va]!,
      pfn: e.args[e.at + pfn]!,
      write: e.args[e.at + write] === 1,
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      pid: task.pid,
    });
    if (!s.secondary.listening.has(pointer)) s.secondary.listening.set(pointer, e.seq);
  }),
  fold(spteClear, (s, e) => {
    const { dev, mm, va } = spteClear.at;
    s.secondary.clearOne(e.args[e.at + dev]!, e.args[e.at + mm]!, e.args[e.at + va]!);
  }),
];
