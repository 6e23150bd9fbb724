import { GUP_GET_FAST, GUP_LOCKED, GUP_PIN, GUP_PIN_FAST } from '../events/gup.ts';
import {
  gupBegin,
  gupEnd,
  gupFault,
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  gupPut,
  gupUnpin,
  ksmBreak,
  ksmInsert,
  ksmMerge,
  ksmMergeEnd,
  ksmReplace,
  ksmReplaceEnd,
  ksmWriteProtect,
  ksmWriteProtectEnd,
  lockRelease,
  lockWait,
  migrateMapping,
  migrateMappingEnd,
  migrateMove,
  migrateRestore,
  migrateUndo,
  migrateUnmap,
  migrateUnmapEnd,
  mnEnd,
  mnInvalidate,
  mnRelease,
  mnStart,
  mnYoung,
  pageout,
  pageoutEnd,
  pageRelease,
  reclaimBegin,
  reclaimEnd,
  reclaimPages,
  referencesCheck,
  referencesChecked,
  removeMapping,
  removeMappingEnd,
  rmapAdd,
  rmapAddPmd,
  rmapDel,
  rmapDelPmd,
  rmapMove,
  rmapNew,
  unmapBegin,
  unmapEnd,
} from '../events/index.ts';
import { RECLAIM_LIST } from '../events/reclaim.ts';
import { constant, gupFlags, int, masked, opened, page, pageFlags, pte, ptr, truth, va } from './columns.ts';
import { RMAP_EXCLUSIVE } from './kernels.ts';
import { closes, opens, part, silent, type Tracepoint, tell } from './tracepoint.ts';

const ret = int('ret');
const ok = truth('ret');
const place = { mm: ptr('mm'), va: va('addr') };
const mapped = { pfn: page('folio'), ...place };
const exclusive = masked('flags', RMAP_EXCLUSIVE);

const rmap: readonly Tracepoint[] = [
  tell('add_new_anon_rmap', rmapNew, { ...mapped, exclusive }),
  tell('add_anon_rmap_ptes', rmapAdd, {
    pfn: page('page'),
    folio: page('folio'),
    nr: int('nr'),
    ...place,
    anon: constant(1),
    exclusive,
  }),
  tell('add_anon_rmap_pmd', rmapAddPmd, { pfn: page('page'), ...place }),
  tell('add_file_rmap_ptes', rmapAdd, {
    pfn: page('page'),
    folio: page('folio'),
    nr: int('nr'),
    mm: ptr('mm'),
    anon: constant(0),
  }),
  tell('remove_rmap_ptes', rmapDel, {
    pfn: page('page'),
    folio: page('folio'),
    nr: int('nr'),
    mm: ptr('mm'),
    mapcount: int('map', 'page'),
  }),
  tell('remove_rmap_pmd', rmapDelPmd, { pfn: page('page'), mm: ptr('mm') }),
  // Only the VMA is told, not its mm.
  tell('move_anon_rmap', rmapMove, { pfn: page('folio') }),
  tell('try_to_unmap_one', unmapBegin, {
    ...mapped,
    count: int('ref', 'folio'),
    mapcount: int('map', 'folio'),
  }),
  tell('try_to_unmap_one_ret', unmapEnd, { ok }),
];

const migration: readonly Tracepoint[] = [
  tell('try_to_migrate_one', migrateUnmap, mapped),
  tell('try_to_migrate_one_ret', migrateUnmapEnd, { ok }),
  // The tracepoint of the same name has a pte and no folio.
  tell('remove_migration_pte', migrateRestore, mapped, { requires: ['folio'] }),
  tell('migrate_folio_move', migrateMove, { src: page('src'), dst: page('dst') }),
  tell('migrate_folio_undo', migrateUndo, { pfn: page('src') }),
  tell('folio_migrate_mapping', migrateMapping, { src: page('src'), dst: page('dst'), extra: int('extra') }),
  tell('folio_migrate_mapping_ret', migrateMappingEnd, { ret }),
];

const reclaim: readonly Tracepoint[] = [
  tell('shrink_folio_list', reclaimBegin, { how: constant(RECLAIM_LIST) }),
  tell('shrink_folio_list_ret', reclaimEnd, { how: constant(RECLAIM_LIST) }),
  tell('reclaim_folio_list', reclaimPages),
  tell('reclaim_pages', reclaimPages),
  tell('pageout', pageout, { pfn: page('folio'), count: int('ref', 'folio') }),
  tell('pageout_ret', pageoutEnd, { ret }),
  // The return names the folio of its entry: it ends the life of that page.
  opens(
    '__remove_mapping',
    'remove_mapping',
    [page('folio')],
    [part(removeMapping, { pfn: page('folio'), count: int('ref', 'folio') })],
  ),
  closes('__remove_mapping_ret', 'remove_mapping', [part(removeMappingEnd, { pfn: opened(0), ok })]),
  tell('folio_check_references', referencesCheck, { pfn: page('folio') }),
  tell('folio_check_references_ret', referencesChecked, { ret }),
];

const locks: readonly Tracepoint[] = [
  tell('folio_lock_slow', lockWait, { pfn: page('folio') }),
  tell('folio_lock_or_retry', lockWait, { pfn: page('folio'), va: va('addr') }),
  tell('folio_unlock', lockRelease, {
    pfn: page('folio'),
    count: int('ref', 'folio'),
    flags: pageFlags('pflags', 'folio'),
  }),
  tell('folio_put', pageRelease, { pfn: page('folio') }),
];

const walk = { start: va('start'), nr: int('nr'), flags: gupFlags('gup_flags') };
const gup: readonly Tracepoint[] = [
  tell('pin_user_pages', gupBegin, { how: constant(GUP_PIN), ...walk }),
  tell('pin_user_pages_ret', gupEnd, { how: constant(GUP_PIN), ret }),
  tell('pin_user_pages_fast', gupBegin, { how: constant(GUP_PIN_FAST), ...walk }),
  tell('pin_user_pages_fast_ret', gupEnd, { how: constant(GUP_PIN_FAST), ret }),
  tell('get_user_pages_fast', gupBegin, { how: constant(GUP_GET_FAST), ...walk }),
  tell('get_user_pages_fast_ret', gupEnd, { how: constant(GUP_GET_FAST), ret }),
  tell('gup_longterm_locked', gupBegin, { how: constant(GUP_LOCKED), mm: ptr('mm'), ...walk }),
  tell('try_grab_folio', gupGrab, {
    pfn: page('folio'),
    refs: int('refs'),
    flags: gupFlags('gup_flags'),
    count: int('ref', 'folio'),
  }),
  tell('try_grab_folio_fast', gupGrabFast, {
    pfn: page('page'),
    refs: int('refs'),
    flags: gupFlags('gup_flags'),
  }),
  tell('try_grab_folio_fast_ret', gupGrabFastEnd, { pfn: page('folio') }),
  tell('gup_put_folio', gupPut, {
    pfn: page('folio'),
    refs: int('refs'),
    flags: gupFlags('gup_flags'),
    count: int('ref', 'folio'),
  }),
  tell('unpin_user_page', gupUnpin, { pfn: page('page'), nr: constant(1) }),
  tell('unpin_user_pages', gupUnpin, { nr: int('n') }),
  tell('unpin_user_folio', gupUnpin, { pfn: page('folio'), nr: int('n') }),
  tell('unpin_dirty_lock', gupUnpin, { nr: int('n') }),
  tell('faultin_page', gupFault, { ...place, flags: gupFlags('gup_flags'), unshare: truth('unshare') }),
];

const range = { mm: ptr('mm'), start: va('start'), end: va('end') };
const notifiers: readonly Tracepoint[] = [
  tell('mn_range_start', mnStart, { ...range, event: int('event') }),
  tell('mn_range_end', mnEnd, { ...range, event: int('event') }),
  tell('mn_secondary_tlb', mnInvalidate, range),
  tell('mn_clear_flush_young', mnYoung, range),
  tell('mn_release', mnRelease, { mm: ptr('mm') }),
];

const ksm: readonly Tracepoint[] = [
  tell('ksm_replace_page', ksmReplace, {
    mm: ptr('mm'),
    page: page('page'),
    kpage: page('kpage'),
    pte: pte('orig_pte'),
  }),
  tell('ksm_replace_page_ret', ksmReplaceEnd, { ret }),
  tell('ksm_write_protect_page', ksmWriteProtect, {
    mm: ptr('mm'),
    pfn: page('folio'),
    count: int('ref', 'folio'),
    mapcount: int('map', 'folio'),
  }),
  tell('ksm_write_protect_page_ret', ksmWriteProtectEnd, { ret }),
  tell('ksm_break', ksmBreak, place),
  // Calls break_ksm, which is probed.
  silent('ksm_break_cow'),
  tell('ksm_merge_one', ksmMerge, { mm: ptr('mm'), page: page('page'), kpage: page('kpage') }),
  tell('ksm_merge_one_ret', ksmMergeEnd, { ret }),
  tell('ksm_stable_insert', ksmInsert, { pfn: page('kfolio') }),
];

/** The rich pack's probes (fprobes with argument names, 6.12) on what happens to pages. */
export const richPageTracepoints: readonly Tracepoint[] = [
  ...rmap,
  ...migration,
  ...reclaim,
  ...locks,
  ...gup,
  ...notifiers,
  ...ksm,
];
