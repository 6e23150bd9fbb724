import { kind } from './declare.ts';

export const rmapNew = kind(
  'rmap.new',
  'a new anon folio gets its first mapping (entry of folio_add_new_anon_rmap); exclusive unknown where the kernel does not say',
  {
    pfn: 'pfn',
    mm: 'mm',
    va: 'va',
    exclusive: 'bool',
  },
);
export const rmapAdd = kind(
  'rmap.add',
  'nr present PTEs start to map consecutive pages from pfn (entry); folio is the head; file pages have no va',
  {
    pfn: 'pfn',
    folio: 'pfn',
    nr: 'count',
    mm: 'mm',
    va: 'va',
    anon: 'bool',
    exclusive: 'bool',
  },
);
export const rmapDel = kind(
  'rmap.del',
  'nr present PTEs stop mapping consecutive pages from pfn (entry); mapcount is a raw sample before',
  {
    pfn: 'pfn',
    folio: 'pfn',
    nr: 'count',
    mm: 'mm',
    mapcount: 'count',
    count: 'count',
    flags: 'pageflags',
  },
);
export const rmapAddPmd = kind('rmap.add-pmd', 'a PMD starts to map a large folio', {
  pfn: 'pfn',
  mm: 'mm',
  va: 'va',
});
export const rmapDelPmd = kind('rmap.del-pmd', 'a PMD stops mapping a large folio', { pfn: 'pfn', mm: 'mm' });
export const rmapMove = kind(
  'rmap.move',
  'an anon folio becomes exclusive to one mm (folio_move_anon_rmap): the reuse test succeeded',
  { pfn: 'pfn', mm: 'mm' },
);
export const unmapBegin = kind('unmap.begin', 'try_to_unmap_one starts on one mapping', {
  pfn: 'pfn',
  mm: 'mm',
  va: 'va',
  count: 'count',
  mapcount: 'count',
});
export const unmapEnd = kind('unmap.end', 'try_to_unmap_one returned', { ok: 'bool' });
