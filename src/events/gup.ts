import { kind } from './declare.ts';

/** `how` of gup.begin. */
export const GUP_PIN = 0;
export const GUP_PIN_FAST = 1;
export const GUP_GET_FAST = 2;
/** __gup_longterm_locked and __get_user_pages: the slow walk, which names its mm. */
export const GUP_LOCKED = 3;
export const gupBegin = kind(
  'gup.begin',
  'get_user_pages or pin_user_pages starts; how is a GUP_* code; mm only where the walk names it',
  {
    how: 'code',
    mm: 'mm',
    start: 'va',
    nr: 'count',
    flags: 'gupflags',
  },
);
export const gupEnd = kind('gup.end', 'the walk returned the number of pages taken', {
  how: 'code',
  ret: 'long',
});
export const gupGrab = kind(
  'gup.grab',
  'the slow walk takes refs references on a folio (entry: the change follows; ok known at return)',
  { pfn: 'pfn', refs: 'count', flags: 'gupflags', count: 'count', ok: 'bool' },
);
export const gupGrabFast = kind(
  'gup.grab-fast.begin',
  'the fast walk is about to take refs references on a page',
  { pfn: 'pfn', refs: 'count', flags: 'gupflags' },
);
export const gupGrabFastEnd = kind('gup.grab-fast.end', 'the fast walk took them (folio) or not (NaN)', {
  pfn: 'pfn',
  refs: 'count',
  flags: 'gupflags',
});
export const gupPut = kind('gup.put', 'refs GUP references are dropped (gup_put_folio, entry)', {
  pfn: 'pfn',
  refs: 'count',
  flags: 'gupflags',
  count: 'count',
});
export const gupFollow = kind('gup.follow', 'the slow walk found this page behind an address', {
  mm: 'mm',
  va: 'va',
  pfn: 'pfn',
  flags: 'gupflags',
});
export const gupFault = kind('gup.fault', 'the slow walk faults an address in', {
  mm: 'mm',
  va: 'va',
  flags: 'gupflags',
  unshare: 'bool',
});
export const gupUnpin = kind('gup.unpin', 'unpin_user_page(s) is called; pfn of a single page', {
  pfn: 'pfn',
  nr: 'count',
});
