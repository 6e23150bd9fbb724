import type { PageAddresses } from './addresses.ts';
import type { KernelFacts } from './generation.ts';

/** Something that records tell and the decoder could not understand, and what to do about it. */
export interface Shortfall {
  readonly name: string;
  readonly count: number;
  readonly advice: string;
}

const GIVE_KERNEL =
  'Their numbering differs between kernels, and which one this is is not known; give --kernel.';

/** What could not be understood for want of a fact about the machine. */
export function shortfallsOf(kernel: KernelFacts, pages: PageAddresses): readonly Shortfall[] {
  const { page, gup, fault } = kernel.flags;
  const all: readonly Shortfall[] = [
    {
      name: 'untranslated-pages',
      count: pages.untranslated,
      advice: pages.conflicting
        ? 'Page pointers whose pfn is not known, because the trace speaks for two bases of vmemmap; give --vmemmap-base.'
        : 'Page pointers whose pfn is not known, because no record tells both; give --vmemmap-base, or record mm_page_alloc with the trace option nohash-ptr.',
    },
    {
      name: 'untranslated-page-flags',
      count: page.untranslated,
      advice: `Page flags as numbers. ${GIVE_KERNEL}`,
    },
    { name: 'untranslated-gup-flags', count: gup.untranslated, advice: `GUP flags. ${GIVE_KERNEL}` },
    { name: 'untranslated-fault-flags', count: fault.untranslated, advice: `Fault flags. ${GIVE_KERNEL}` },
    {
      name: 'unknown-mapcounts',
      count: kernel.unknownMapcounts,
      advice: 'mapcount samples whose meaning depends on the kernel, which is not known; give --kernel.',
    },
    {
      name: 'unread-page-table-words',
      count: kernel.pte.unread,
      advice: 'Page-table words of an architecture that no record proves; give --arch x86-64 if it is one.',
    },
  ];
  return all.filter(({ count }) => count > 0);
}
