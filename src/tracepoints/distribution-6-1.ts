import {
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
  migrateMapping,
  migrateMove,
  mmDup,
  mnChangePte,
  mnInvalidate,
  pteClearFlush,
  removeMapping,
  removeMappingEnd,
  rmapAdd,
  rmapAddPmd,
  rmapDel,
  rmapDelPmd,
  rmapMove,
  rmapNew,
  siGet,
  siGot,
  splitFolio,
  splitFolioEnd,
  swapAlloc,
  swapcacheAdd,
  swapDup,
  swapDupEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeFolio,
  swapFreeFolioEnd,
  swapSlotFree,
  wpCopy,
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
  slot,
  truth,
  va,
} from './columns.ts';
import { RMAP_COMPOUND, RMAP_EXCLUSIVE } from './kernels.ts';
import { closes, opens, part, silent, type Tracepoint, tell, tells } from './tracepoint.ts';

const ret = int('ret');
const ok = truth('ret');
const place = { mm: ptr('mm'), va: va('addr') };
const folio = { pfn: page('folio') };
const ofPage = { pfn: page('page') };
const lacksFolio = { requires: ['page'], lacks: ['folio'] };
const small = equals('cmp', 0);

const rmap: readonly Tracepoint[] = [
  // page_add_new_anon_rmap makes the page exclusive (mm/rmap.c 6.1).
  tell('rm_new', rmapNew, { ...ofPage, ...place, exclusive: constant(1) }, lacksFolio),
  tells(
    'rm_anon',
    [
      part(rmapAddPmd, { ...ofPage, ...place }, masked('rf', RMAP_COMPOUND)),
      part(
        rmapAdd,
        { ...ofPage, nr: constant(1), ...place, anon: constant(1), exclusive: masked('rf', RMAP_EXCLUSIVE) },
        equals('rf', 0),
      ),
      part(
        rmapAdd,
        { ...ofPage, nr: constant(1), ...place, anon: constant(1), exclusive: masked('rf', RMAP_EXCLUSIVE) },
        equals('rf', RMAP_EXCLUSIVE),
      ),
    ],
    lacksFolio,
  ),
  tells(
    'rm_file',
    [
      part(rmapAddPmd, { ...ofPage, mm: ptr('mm') }, truth('cmp')),
      part(rmapAdd, { ...ofPage, nr: constant(1), mm: ptr('mm'), anon: constant(0) }, small),
    ],
    lacksFolio,
  ),
  tells(
    'rm_del',
    [
      part(rmapDelPmd, { ...ofPage, mm: ptr('mm') }, truth('cmp')),
      part(
        rmapDel,
        {
          ...ofPage,
          nr: constant(1),
          mm: ptr('mm'),
          mapcount: int('mc', 'page'),
          count: int('ref', 'page'),
          flags: pageFlags('pfl', 'page'),
        },
        small,
      ),
    ],
    lacksFolio,
  ),
  tell('rm_move', rmapMove, { ...ofPage, mm: ptr('mm') }, lacksFolio),
];

const pages: readonly Tracepoint[] = [
  tell('wp_copy', wpCopy, { va: va('addr'), ...ofPage }),
  opens('pte_clr_in', 'pte_clr', [ptr('mm'), va('addr')]),
  closes('pte_clr', 'pte_clr', [part(pteClearFlush, { mm: opened(0), va: opened(1), old: pte('old') })], {
    lacks: ['mm'],
  }),
  opens('mig_mv_in', 'mig_mv', [page('src'), page('dst')]),
  closes('mig_mv', 'mig_mv', [part(migrateMove, { src: opened(0), dst: opened(1), ret })], {
    lacks: ['src'],
  }),
  tell(
    'mig_map',
    migrateMapping,
    { src: page('src'), dst: page('dst'), extra: int('extra') },
    { requires: ['extra'] },
  ),
  // plk_wait states the wait and is declared with the other kernels; the return names no folio.
  tell('plk_got', lockAcquired, { ok: constant(1) }, { lacks: ['folio'] }),
  opens('plk_retry_in', 'plk_retry', [page('folio')], [part(lockWait, folio)]),
  // A bool here: true if the lock is held.
  closes('plk_retry', 'plk_retry', [part(lockAcquired, { pfn: opened(0), ok })], { lacks: ['folio'] }),
  opens('rmmap_in', 'rmmap', [page('folio')], [part(removeMapping, folio)]),
  closes('rmmap', 'rmmap', [part(removeMappingEnd, { pfn: opened(0), ok })], { lacks: ['folio'] }),
  tell('spl_pg_in', splitFolio, { ...ofPage, order: constant(0) }),
  tell('spl_pg', splitFolioEnd, { ret }, { lacks: ['page'] }),
  tell('mn_inv', mnInvalidate, { mm: ptr('mm'), start: va('st'), end: va('en') }),
  tell('mn_chg', mnChangePte, place),
  // dup_mmap returns to dup_mm, which returns the mm.
  opens('dup_in', 'dup', [ptr('mm')]),
  closes('dup_out', 'dup', [part(mmDup, { mm: opened(0) }, equals('ret', 0))]),
];

const merging: readonly Tracepoint[] = [
  tell('ksm_m1_in', ksmMerge, { mm: ptr('mm'), page: page('page'), kpage: page('kpage') }),
  tell('ksm_m1', ksmMergeEnd, { ret }, { lacks: ['page'] }),
  tell('ksm_wp_in', ksmWriteProtect, { mm: ptr('mm'), ...ofPage }),
  tell('ksm_wp', ksmWriteProtectEnd, { ret }, { lacks: ['folio'] }),
  opens('ksm_get_in', 'ksm_get', [ptr('node')]),
  closes('ksm_get', 'ksm_get', [part(ksmGet, { node: opened(0), ...ofPage })], { lacks: ['node'] }),
];

const ent = entry('ent');
const swap: readonly Tracepoint[] = [
  opens('sc_add_in', 'sc_add', [page('folio'), ent]),
  closes(
    'sc_add',
    'sc_add',
    [part(swapcacheAdd, { pfn: opened(0), entry: opened(1), ok: equals('ret', 0) })],
    {
      lacks: ['folio'],
    },
  ),
  // Names the folio that a slot is wanted for; the slot is told at the return.
  silent('sw_alloc_in'),
  tell('sw_alloc', swapAlloc, { entry: ent, nr: constant(1) }, { lacks: ['folio'], when: truth('ent') }),
  opens('sw_dup_in', 'sw_dup', [ent], [part(swapDup, { entry: ent, usage: int('use'), nr: constant(1) })]),
  closes('sw_dup', 'sw_dup', [part(swapDupEnd, { entry: opened(0), ret })], { lacks: ['ent'] }),
  tell('sw_efl_in', swapEntryFree, { entry: slot('typ', 'off'), nr: constant(1), usage: int('use') }),
  tell('sw_efl', swapEntryFreeEnd, { left: int('left') }),
  tell('sw_free', swapFree, { entry: ent, nr: constant(1) }, { requires: ['ent'], lacks: ['nr', 'folio'] }),
  tell(
    'sw_rel',
    swapSlotFree,
    { entry: slot('typ', 'off'), nr: int('nr') },
    { requires: ['off'], lacks: ['ci'] },
  ),
  opens('sw_try_in', 'sw_try', [page('folio')], [part(swapFreeFolio, folio)]),
  closes('sw_try', 'sw_try', [part(swapFreeFolioEnd, { pfn: opened(0), ok })], { lacks: ['folio'] }),
  opens('si_get_in', 'si_get', [ent], [part(siGet, { entry: ent })]),
  closes('si_get', 'si_get', [part(siGot, { entry: opened(0), ok: truth('si') })], { lacks: ['ent'] }),
];

const gup: readonly Tracepoint[] = [
  opens('gup_pte_in', 'gup_pte', [ptr('mm'), va('addr'), gupFlags('gf')]),
  closes(
    'gup_pte',
    'gup_pte',
    [part(gupFollow, { mm: opened(0), va: opened(1), ...ofPage, flags: opened(2) }, truth('page'))],
    { lacks: ['mm'] },
  ),
  opens('grab_in', 'grab', [page('page'), gupFlags('gf')]),
  // try_grab_page takes one reference and returns a bool.
  closes('grab', 'grab', [part(gupGrab, { pfn: opened(0), refs: constant(1), flags: opened(1), ok })], {
    lacks: ['folio'],
  }),
  opens(
    'grabf_in',
    'grabf',
    [int('refs'), gupFlags('gf')],
    [part(gupGrabFast, { ...ofPage, refs: int('refs'), flags: gupFlags('gf') })],
  ),
  closes('grabf', 'grabf', [part(gupGrabFastEnd, { ...folio, refs: opened(0), flags: opened(1) })], {
    lacks: ['page'],
  }),
];

/**
 * The distribution pack's kprobes of 6.1. Return probes print nothing but the returned value: what they
 * returned from is joined from the entry of the same task, last in first out.
 */
export const distribution61Tracepoints: readonly Tracepoint[] = [
  ...rmap,
  ...pages,
  ...merging,
  ...swap,
  ...gup,
];
