import { FIELD_OK, type FieldValues } from '../core/fields.ts';
import { entryOf } from '../core/pte.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import {
  gupUnpin,
  pteMap,
  splitFolio,
  splitFolioEnd,
  swapAlloc,
  swapcacheAdd,
  swapcacheDel,
  swapcacheFound,
  swapDup,
  swapDupEnd,
  swapEntryFree,
  swapFree,
  swapReadAsyncEnd,
  swapSlotFree,
  swapWrite,
  wpReuse,
  zapRangeBegin,
  zapRangeEnd,
} from '../events/index.ts';
import { constant, entry, equals, int, page, pageFlags, ptr, rangeEnd, slot, va } from './columns.ts';
import { type DecodeContext, part, silent, type Tracepoint, tell, tells, tracepoint } from './tracepoint.ts';

const ret = int('ret');
const ent = entry('ent');
const folio = { pfn: page('folio') };
const place = { mm: ptr('mm'), va: va('addr') };

/** One user of a slot: what older kernels pass as usage (0x40 is the cache bit there). */
const ONE_USER = constant(1);

/**
 * folio_dup_swap and folio_put_swap name the folio's first slot and the page that is meant: null is all of the
 * folio, whose size is not told.
 */
function ofSubpage(
  event: string,
  states: readonly EventKind[],
  emit: (out: EventBatchBuilder, entry: number, nr: number, ret: number) => void,
): Tracepoint {
  return tracepoint(
    event,
    states,
    [
      { key: 'folio', form: 'ptr' },
      { key: 'sub', form: 'ptr' },
      { key: 'ent', form: 'hex' },
      { key: 'ret', form: 'int' },
    ],
    (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
      const { state, lo, hi } = values;
      let slotOf = Number.NaN;
      if (state[2] === FIELD_OK && (lo[2] !== 0 || hi[2] !== 0)) {
        slotOf = entryOf(hi[2]! >>> 26, (hi[2]! & 0xfff) * 4294967296 + (lo[2]! >>> 0));
      }
      const whole = state[1] !== FIELD_OK || (lo[1] === 0 && hi[1] === 0);
      if (!whole && state[0] === FIELD_OK && (lo[0] !== lo[1] || hi[0] !== hi[1])) {
        slotOf += ctx.pages.pfn(lo[1]!, hi[1]!) - ctx.pages.pfn(lo[0]!, hi[0]!);
      }
      emit(out, slotOf, whole ? Number.NaN : 1, state[3] === FIELD_OK ? lo[3]! : Number.NaN);
    },
    { requires: ['sub'] },
  );
}

const swap: readonly Tracepoint[] = [
  // Returns nothing: it cannot fail.
  tell(
    'sc_add',
    swapcacheAdd,
    { ...folio, entry: ent, ok: constant(1) },
    { requires: ['folio', 'ent'], lacks: ['ret'] },
  ),
  // Calls __swap_cache_del_folio.
  tell('sc_delf', swapcacheDel, { ...folio, entry: entry('ent', 'folio') }, { unless: 'sc_del' }),
  tells('sc_rep', [
    part(swapcacheDel, { pfn: page('old'), entry: ent }),
    part(swapcacheAdd, { pfn: page('new'), entry: ent, ok: constant(1) }),
  ]),
  tell('sc_get', swapcacheFound, folio),
  // An error pointer: the folio was there already, or there is no memory.
  tell('sc_new', swapReadAsyncEnd, folio),
  silent('sw_sync'),
  silent('sw_ra'),
  tell(
    'sw_alloc',
    swapAlloc,
    { entry: entry('ent', 'folio') },
    { requires: ['ret'], when: equals('ret', 0) },
  ),
  ofSubpage('sw_dup', [swapDup, swapDupEnd], (out, of, nr, result) => {
    out.emit(swapDup, of, 1, nr);
    out.emit(swapDupEnd, of, result);
  }),
  tells('sw_dupd', [
    part(swapDup, { entry: ent, usage: ONE_USER, nr: constant(1) }),
    part(swapDupEnd, { entry: ent, ret }),
  ]),
  ofSubpage('sw_free', [swapFree], (out, of, nr) => out.emit(swapFree, of, nr)),
  tell('sw_putc', swapEntryFree, { entry: slot('typ', 'off'), nr: int('nr'), usage: ONE_USER }),
  // Offsets within a cluster: the slot is told by sw_putc.
  silent('sw_pute'),
  tell('sw_rel', swapSlotFree, { nr: int('nr') }, { requires: ['ci'] }),
  // Calls __swap_writepage, unless the content needs no device.
  tell('sw_wo', swapWrite, { ...folio, entry: entry('ent', 'folio') }, { unless: 'sw_wr' }),
];

const range = { mm: ptr('mm'), start: va('st'), end: va('en') };
const length = { mm: ptr('mm'), start: va('st'), end: rangeEnd('st', 'len') };
/** zap_in sits inside all of them. */
const outer = { unless: 'zap_in' };

/** The distribution pack's fprobes that 7.2 needs in place of those of 6.12. */
export const distribution72Tracepoints: readonly Tracepoint[] = [
  ...swap,
  tell('zapv_in', zapRangeBegin, range, outer),
  tell('zapv_out', zapRangeEnd, {}, outer),
  tell('zapb_in', zapRangeBegin, length, outer),
  tell('zapb_out', zapRangeEnd, {}, outer),
  // Its return is not probed.
  silent('zapr_in'),
  // Calls the function that spl_pg sits on.
  tells('spl_fo', [part(splitFolio, { ...folio, order: constant(0) }), part(splitFolioEnd, { ret })], {
    unless: 'spl_pg',
  }),
  tell('anon_map', pteMap, { ...folio, ...place }),
  tell('wp_reuse', wpReuse, { va: va('addr'), ...folio, flags: pageFlags('pfl', 'folio') }),
  tell('unp_fo', gupUnpin, { ...folio, nr: int('n') }),
  tell('unp_pg', gupUnpin, { pfn: page('page'), nr: constant(1) }),
  tell('unp_pgs', gupUnpin, { nr: int('n') }),
  tell('unp_fos', gupUnpin, { nr: int('n') }),
];
