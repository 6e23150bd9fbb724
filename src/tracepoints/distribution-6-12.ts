import { FIELD_OK, type FieldValues, fieldNumber } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { FOLL_PIN } from '../events/flags.ts';
import { GUP_GET_FAST, GUP_LOCKED, GUP_PIN_FAST } from '../events/gup.ts';
import {
  gupBegin,
  gupEnd,
  gupFollow,
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  ksmGet,
  ksmMerge,
  ksmMergeEnd,
  ksmWriteProtect,
  ksmWriteProtectEnd,
  lockAcquired,
  lockWait,
  lruIsolate,
  migrateMapping,
  migrateMappingEnd,
  migrateMove,
  pteClearFlush,
  removeMappingEnd,
  rmapAdd,
  rmapAddPmd,
  rmapDel,
  rmapDelPmd,
  rmapMove,
  rmapNew,
  siGot,
  splitFolio,
  splitFolioEnd,
  swapAlloc,
  swapcacheAdd,
  swapDup,
  swapDupEnd,
  swapFree,
  swapFreeFolioEnd,
  swapSlotFree,
  uffdInstall,
} from '../events/index.ts';
import {
  constant,
  entry,
  equals,
  gupFlags,
  int,
  masked,
  opened,
  page,
  pageFlags,
  pte,
  ptr,
  truth,
  va,
} from './columns.ts';
import { RMAP_EXCLUSIVE } from './kernels.ts';
import { closes, type DecodeContext, part, type Tracepoint, tell, tells, tracepoint } from './tracepoint.ts';

const ret = int('ret');
const place = { mm: ptr('mm'), va: va('addr') };
const folio = { pfn: page('folio') };
const exclusive = masked('rf', RMAP_EXCLUSIVE);
const ofFolio = { requires: ['folio'] };

const rmap: readonly Tracepoint[] = [
  tell('rm_new', rmapNew, { ...folio, ...place, exclusive }, ofFolio),
  tell(
    'rm_anon',
    rmapAdd,
    { pfn: page('page'), folio: page('folio'), nr: int('nr'), ...place, anon: constant(1), exclusive },
    ofFolio,
  ),
  tell('rm_apmd', rmapAddPmd, { ...folio, ...place }),
  tell(
    'rm_file',
    rmapAdd,
    { pfn: page('page'), folio: page('folio'), nr: int('nr'), mm: ptr('mm'), anon: constant(0) },
    ofFolio,
  ),
  tell('rm_fpmd', rmapAddPmd, { ...folio, mm: ptr('mm') }),
  tell(
    'rm_del',
    rmapDel,
    {
      pfn: page('page'),
      folio: page('folio'),
      nr: int('nr'),
      mm: ptr('mm'),
      mapcount: int('mc', 'page'),
      count: int('ref', 'folio'),
      flags: pageFlags('pfl', 'folio'),
    },
    ofFolio,
  ),
  tell('rm_dpmd', rmapDelPmd, { ...folio, mm: ptr('mm') }),
  tell('rm_move', rmapMove, { ...folio, mm: ptr('mm') }, ofFolio),
];

/** VM_FAULT_RETRY leaves the lock unheld; 0 means held (mm/filemap.c, since 6.4 a vm_fault_t). */
const HELD = 0;

const pages: readonly Tracepoint[] = [
  tell('pte_clr', pteClearFlush, { ...place, old: pte('old') }, { requires: ['mm'] }),
  tell('mig_mv', migrateMove, { src: page('src'), dst: page('dst'), ret }, { requires: ['src'] }),
  tells(
    'mig_map',
    [part(migrateMapping, { src: page('src'), dst: page('dst') }), part(migrateMappingEnd, { ret })],
    { requires: ['ret'] },
  ),
  tell('plk_got', lockAcquired, { ...folio, ok: constant(1) }, ofFolio),
  // Told at its return only: the wait and its outcome are stated together.
  tells(
    'plk_retry',
    [part(lockWait, { ...folio, va: va('addr') }), part(lockAcquired, { ...folio, ok: equals('ret', HELD) })],
    ofFolio,
  ),
  tell('lru_iso', lruIsolate, { ...folio, ok: truth('ret') }),
  tell('rmmap', removeMappingEnd, { ...folio, ok: truth('ret') }, ofFolio),
  tells(
    'spl_pg',
    [part(splitFolio, { pfn: page('page'), order: int('ord') }), part(splitFolioEnd, { ret })],
    { requires: ['page'] },
  ),
  tell('uffd_ins', uffdInstall, { ...place, pfn: page('page'), ret }),
];

const merging: readonly Tracepoint[] = [
  tells(
    'ksm_m1',
    [part(ksmMerge, { mm: ptr('mm'), page: page('page'), kpage: page('kpage') }), part(ksmMergeEnd, { ret })],
    { requires: ['page'] },
  ),
  tells(
    'ksm_wp',
    [part(ksmWriteProtect, { ...folio, mm: ptr('mm') }), part(ksmWriteProtectEnd, { ret })],
    ofFolio,
  ),
  tell('ksm_get', ksmGet, { node: ptr('node'), ...folio }, { requires: ['node'] }),
];

const swap: readonly Tracepoint[] = [
  tell(
    'sc_add',
    swapcacheAdd,
    { ...folio, entry: entry('ent'), ok: equals('ret', 0) },
    { requires: ['folio', 'ret'] },
  ),
  // Returns the entry, 0 if there was no slot.
  tell(
    'sw_alloc',
    swapAlloc,
    { entry: entry('ent') },
    { requires: ['folio'], lacks: ['ret'], when: truth('ent') },
  ),
  tells(
    'sw_dup',
    [
      part(swapDup, { entry: entry('ent'), usage: int('use'), nr: int('nr') }),
      part(swapDupEnd, { entry: entry('ent'), ret }),
    ],
    { requires: ['ent', 'use'] },
  ),
  tell('sw_free', swapFree, { entry: entry('ent'), nr: int('nr') }, { requires: ['nr'] }),
  tell('sw_rel', swapSlotFree, { entry: entry('ent'), nr: int('nr') }, { requires: ['ent'] }),
  tell('sw_try', swapFreeFolioEnd, { ...folio, ok: truth('ret') }, ofFolio),
  tell('si_get', siGot, { entry: entry('ent'), ok: truth('si') }, { requires: ['ent'] }),
];

/**
 * The fast walk serves get and pin: its flags say which. The return tells neither, so that it is joined with
 * the entry. The slow walk is one function for both.
 */
const fastWalk = tracepoint(
  'gupf_in',
  [gupBegin],
  [
    { key: 'st', form: 'hex' },
    { key: 'nr', form: 'int' },
    { key: 'gf', form: 'hex' },
  ],
  (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
    const flags = values.state[2] === FIELD_OK ? ctx.kernel.gupFlags(values.lo[2]!) : Number.NaN;
    const how = Number.isNaN(flags) ? Number.NaN : flags & FOLL_PIN ? GUP_PIN_FAST : GUP_GET_FAST;
    const { cells, at } = ctx.open.push('gupf', ctx.pid, ctx.cpu);
    cells[at] = how;
    out.emit(gupBegin, how, Number.NaN, fieldNumber(values, 0), fieldNumber(values, 1), flags);
  },
);

const grabbed = { refs: int('refs'), flags: gupFlags('gf') };
const gup: readonly Tracepoint[] = [
  fastWalk,
  closes('gupf_out', 'gupf', [part(gupEnd, { how: opened(0), ret })]),
  tell('gup_out', gupEnd, { how: constant(GUP_LOCKED), ret }),
  // A null page: nothing was there.
  tell(
    'gup_pte',
    gupFollow,
    { ...place, pfn: page('page'), flags: gupFlags('gf') },
    { requires: ['mm'], when: truth('page') },
  ),
  // Told at its return: ref is a sample after the change, which the event's count is not.
  tell('grab', gupGrab, { ...folio, ...grabbed, ok: equals('ret', 0) }, ofFolio),
  tells(
    'grabf',
    [part(gupGrabFast, { pfn: page('page'), ...grabbed }), part(gupGrabFastEnd, { ...folio, ...grabbed })],
    { requires: ['page'] },
  ),
];

/** The distribution pack's fprobes of 6.12, of which most serve 7.2 too: returns bring their arguments along. */
export const distribution612Tracepoints: readonly Tracepoint[] = [
  ...rmap,
  ...pages,
  ...merging,
  ...swap,
  ...gup,
];
