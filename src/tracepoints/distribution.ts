import { GUP_LOCKED } from '../events/gup.ts';
import {
  anonBegin,
  collapseBegin,
  collapseEnd,
  dirtySet,
  faultBegin,
  faultEnd,
  fileBegin,
  forkRange,
  forkRangeEnd,
  gupBegin,
  gupPut,
  hugeWpBegin,
  hugeWpEnd,
  ksmAppend,
  ksmBreak,
  lockRelease,
  lockWait,
  lruDrain,
  migrateRestore,
  migrateUnmap,
  migrateUnmapEnd,
  mmExec,
  mmExit,
  mmInit,
  mnEnd,
  mnInvalidate,
  mnStart,
  mnStarted,
  moveTables,
  protectBegin,
  pteAccess,
  pteMap,
  splitPmd,
  swapClear,
  swapcacheDel,
  swapFreeCache,
  swapinBegin,
  swapinEnd,
  swapoffBegin,
  swapoffEnd,
  swapPutFolio,
  swapRead,
  swapSlotFree,
  swapWrite,
  uffdHandle,
  unmapBegin,
  unmapEnd,
  wpBegin,
  wpEnd,
  writebackEnd,
  writebackStart,
  zapRangeBegin,
  zapRangeEnd,
} from '../events/index.ts';
import {
  constant,
  entry,
  faultFlags,
  gupFlags,
  int,
  masked,
  page,
  pageFlags,
  pfn,
  pte,
  ptr,
  truth,
  va,
} from './columns.ts';
import { CP_UFFD_WP, CP_UFFD_WP_RESOLVE } from './kernels.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

const ret = int('ret');
const place = { mm: ptr('mm'), va: va('addr') };
const range = { mm: ptr('mm'), start: va('st'), end: va('en') };
const mapped = { pfn: page('folio'), ...place };
const fault = { ...place, flags: faultFlags('ffl') };
const folio = { pfn: page('folio') };

const faults: readonly Tracepoint[] = [
  tell('flt_in', faultBegin, fault),
  tell('flt_out', faultEnd, { ret }),
  tell('wp_in', wpBegin, { ...fault, pte: pte('opte') }),
  tell('wp_out', wpEnd, { ret }),
  tell('swin_in', swapinBegin, { ...fault, pte: pte('opte') }),
  tell('swin_out', swapinEnd, { ret }),
  tell('anon_in', anonBegin, fault),
  tell('fin_in', fileBegin, { ...place, pfn: page('page'), cow: page('cow'), flags: faultFlags('ffl') }),
  tell('hwp_in', hugeWpBegin, place),
  tell('hwp_out', hugeWpEnd, { ret }),
  tell('pte_acc', pteAccess, { ...place, old: pte('old'), value: pte('new') }),
  // The rich pack has a pte_set with ptep and the word; this one sits on set_pte_range or do_set_pte.
  tell(
    'pte_set',
    pteMap,
    { ...place, pfn: page('page'), nr: int('nr'), flags: faultFlags('ffl') },
    { requires: ['addr', 'page', 'nr'] },
  ),
  // do_set_pte (6.1) maps one page.
  tell(
    'pte_set',
    pteMap,
    { ...place, pfn: page('page'), nr: constant(1), flags: faultFlags('ffl') },
    { requires: ['addr', 'page'] },
  ),
  tell('uffd_hit', uffdHandle, { ...place, reason: va('why') }),
  tell('fork_in', forkRange, { child: ptr('dmm'), parent: ptr('smm'), start: va('st'), end: va('en') }),
  tell('fork_out', forkRangeEnd, { ret }),
  tell('prot_in', protectBegin, {
    ...range,
    uffdwp: masked('cpf', CP_UFFD_WP),
    resolved: masked('cpf', CP_UFFD_WP_RESOLVE),
  }),
  tell('mvpt_in', moveTables, { mm: ptr('mm'), from: va('old'), to: va('new'), length: va('len') }),
  tell('zap_in', zapRangeBegin, range),
  tell('zap_out', zapRangeEnd),
];

const mms: readonly Tracepoint[] = [
  // The task's pid is that of its maker while fork is still copying it.
  tell('mm_new', mmInit, { mm: ptr('mm'), pid: int('pid'), tgid: int('tgid') }),
  tell('exec_mm', mmExec, { mm: ptr('mm') }),
  // sched_process_exec with the mm, which exec_mm told before it was put in place.
  silent('exec'),
  tell('mm_dead', mmExit, { mm: ptr('mm') }),
];

const pages: readonly Tracepoint[] = [
  tell('ttu_in', unmapBegin, mapped),
  tell('ttu_out', unmapEnd, { ok: truth('ret') }),
  tell('ttm_in', migrateUnmap, mapped),
  tell('ttm_out', migrateUnmapEnd, { ok: truth('ret') }),
  tell('rmig_in', migrateRestore, mapped),
  tell('plk_wait', lockWait, folio),
  tell('plk_un', lockRelease, { ...folio, flags: pageFlags('pfl', 'folio') }),
  tell('wb_start', writebackStart, folio),
  tell('wb_end', writebackEnd, folio),
  tell('dirty', dirtySet, folio),
  tell('lru_drain', lruDrain),
];

const swap: readonly Tracepoint[] = [
  tell('sc_del', swapcacheDel, { ...folio, entry: entry('ent') }),
  tell('sw_fac', swapFreeCache, { entry: entry('ent'), nr: int('nr') }, { requires: ['nr'] }),
  tell('sw_fac', swapFreeCache, { entry: entry('ent'), nr: constant(1) }),
  tell('sw_put', swapPutFolio, { ...folio, entry: entry('ent') }),
  tell('sw_clr', swapClear, { entry: entry('ent') }),
  // The slot goes to a per-CPU cache of free slots; from there it is handed out again or, in batches and
  // mostly without a record, returned to the device.
  tell('sw_slot', swapSlotFree, { entry: entry('ent'), nr: constant(1) }),
  tell('sw_rd', swapRead, { ...folio, entry: entry('ent', 'folio') }, { requires: ['folio'] }),
  tell('sw_rd', swapRead, { pfn: page('page'), entry: entry('ent', 'page') }),
  tell('sw_wr', swapWrite, { ...folio, entry: entry('ent', 'folio') }, { requires: ['folio'] }),
  tell('sw_wr', swapWrite, { pfn: page('page'), entry: entry('ent', 'page') }),
  tell('so_in', swapoffBegin),
  tell('so_out', swapoffEnd, { ret }),
  // A range of one mm that swapoff looks through: which PTEs it converts is told by other probes.
  silent('so_pte'),
];

const gup: readonly Tracepoint[] = [
  tell('gup_in', gupBegin, {
    how: constant(GUP_LOCKED),
    mm: ptr('mm'),
    start: va('st'),
    nr: int('nr'),
    flags: gupFlags('gf'),
  }),
  tell('gput', gupPut, { ...folio, refs: int('refs'), flags: gupFlags('gf'), count: int('ref', 'folio') }),
];

const notifiers: readonly Tracepoint[] = [
  tell('mn_s', mnStart, { ...range, event: int('ev') }),
  tell('mn_sr', mnStarted, { ret }),
  tell('mn_e', mnEnd, { ...range, event: int('ev') }),
  tell('mn_sec', mnInvalidate, range),
];

const merging: readonly Tracepoint[] = [
  tell('ksm_app', ksmAppend, { ...place, pfn: pfn('kpfn') }),
  tell('ksm_brk', ksmBreak, place),
  silent('ksm_brkr'),
  tell('col_in', collapseBegin, place),
  tell('col_out', collapseEnd, { ret }),
  // Files: their pages are not exclusive to an mm.
  silent('colf_in'),
  silent('colf_out'),
  tell('spl_pmd', splitPmd, { ...place, freeze: truth('frz') }),
];

/** The distribution pack's probes that mean the same in 6.1 (kprobes), 6.12 and 7.2 (fprobes). */
export const distributionTracepoints: readonly Tracepoint[] = [
  ...faults,
  ...mms,
  ...pages,
  ...swap,
  ...gup,
  ...notifiers,
  ...merging,
];
