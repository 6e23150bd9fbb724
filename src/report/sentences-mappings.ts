import type { Prose, Told } from './sentences.ts';

/** "device 2", or "a device" where its number is not told. */
function device(t: Told): string {
  const number = t.number('device');
  return number === null ? 'a device' : `device ${number}`;
}

/** " at 0x7f00", nothing where the address is not known. */
function at(t: Told): string {
  return t.target === 'a page' ? '' : ` at ${t.target}`;
}

const STALE_MEANS =
  'A CPU that still holds the old translation goes on with the old page, past what the page tables say.';

/** Sentences for the checks of page tables, secondary MMUs and TLBs: who still sees which page. */
export const MAPPING_PROSE: Readonly<Record<string, Prose>> = {
  'writable-pte-shared-anon': {
    title: () => 'writable PTE to a shared private page',
    summary: (t) =>
      `${t.task}: ${t.page} is mapped by ${(t.number('sharers') ?? 1) + 1} processes, and writable${at(t)}.`,
    reason: () => ['What one process writes there shows up in the memory of the others without a COW.'],
  },

  'two-writable-ptes': {
    title: () => 'two writable PTEs to one private page',
    summary: (t) =>
      `${t.task}: a second PTE${at(t)} became writable, while another ${t.found.cause === 'same-mm' ? 'of the same mm' : 'of another mm'} already may write ${t.page}.`,
    reason: () => ['A private page that may be written has one mapping; here two places are one memory.'],
  },

  'fork-left-pte-writable': {
    title: (t) =>
      t.found.cause === 'not-flushed'
        ? "fork left the parent's TLB writable"
        : "fork left the parent's PTE writable",
    summary: (t) =>
      t.found.cause === 'not-flushed'
        ? `${t.task} finished a fork; the PTE${at(t)} of ${t.page} was write-protected, but no CPU was told to forget the writable translation.`
        : `${t.task} finished a fork; the child maps ${t.page} too, and the parent's PTE${at(t)} is still writable.`,
    reason: () => ['What the parent writes from now on is seen by the child.'],
  },

  'anon-exclusive-violation': {
    title: (t) =>
      ({
        'pinned-not-exclusive': 'pinned page is not AnonExclusive',
        'exclusive-and-shared': 'AnonExclusive page is mapped more than once',
        'exclusive-swap-shared': 'exclusive swap PTE to a shared slot',
      })[t.found.cause] ?? 'writable page is not AnonExclusive',
    summary: (t) => {
      const broken: Readonly<Record<string, string>> = {
        'pinned-not-exclusive': `${t.page} has lost PageAnonExclusive while ${t.who('pinner') ?? 'somebody'} had it pinned`,
        'exclusive-and-shared': `${t.page} is PageAnonExclusive with a mapcount of ${t.text('mapcount') ?? 'more than 1'}`,
        'exclusive-swap-shared': `an exclusive swap PTE was set${at(t)}, although its slot has ${t.text('swapcount') ?? 'several'} users`,
      };
      return `${t.task}: ${broken[t.found.cause] ?? `${t.page} became writable${at(t)} without PageAnonExclusive`}.`;
    },
    reason: (t) => [
      t.found.cause === 'pinned-not-exclusive'
        ? 'The next write fault copies the page, and the pin goes on with the old one.'
        : 'The bit decides reuse, fork and pins: who trusts it shares memory that is not to be shared, or copies what is pinned.',
    ],
  },

  'secondary-mmu-stale-mapping': {
    title: () => 'secondary MMU maps the old page',
    summary: (t) =>
      `${t.task} moved ${t.target} from ${t.page} to ${t.newPage}, and ${device(t)} still maps the old page.`,
    reason: () => [
      'The device reads what the process no longer sees there, and what it writes is lost. An invalidation must be done when its callback returns, not later.',
    ],
  },

  'secondary-mmu-lost-write': {
    title: () => 'write of a device lost',
    summary: (t) =>
      `A device wrote ${t.page} through ${t.target}, which the process has as ${t.newPage} by now.`,
    reason: () => ['The process will never see what was written: its address leads elsewhere.'],
  },

  'secondary-mmu-fault-in-invalidate': {
    title: () => 'secondary MMU mapping made during its invalidation',
    summary: (t) =>
      `${t.task} mapped ${t.target} to ${t.page} in the secondary MMU of ${device(t)} between range_start and range_end, and kept the mapping.`,
    reason: (t) => [
      t.found.severity === 'critical'
        ? `The process has ${t.newPage} there by now.`
        : 'The page was the same at the end of the range; that was luck.',
      'A driver must look at the sequence count after it got its page, and start anew if it moved.',
    ],
  },

  'mmu-notifier-async-invalidate': {
    title: () => 'invalidation of a secondary MMU put off',
    summary: (t) =>
      `An invalidation by ${t.task} returned, and ${device(t)} still maps ${t.target} to ${t.page}.`,
    reason: () => ['The caller goes on and gives the address another page, or frees this one.'],
  },

  'mmu-notifier-missing': {
    title: () => 'no notification of a secondary MMU',
    summary: (t) =>
      t.found.place.newPfn === null
        ? `${t.task} took ${t.page} away from ${t.target} without telling the notifiers of the mm.`
        : `${t.task} moved ${t.target} from ${t.page} to ${t.newPage} without telling the notifiers of the mm.`,
    reason: () => ['A device that maps the address goes on with the old page.'],
  },

  'mmu-notifier-unbalanced': {
    title: (t) =>
      t.found.cause === 'end-without-start'
        ? 'invalidation ends that did not start'
        : 'invalidation that does not end',
    summary: (t) =>
      t.found.cause === 'end-without-start'
        ? `${t.task} ended an invalidation from ${t.target} on that it had not started.`
        : `${t.task} started an invalidation from ${t.target} on and returned without ending it.`,
    reason: (t) => [
      t.found.cause === 'end-without-start'
        ? 'Drivers that count ranges let faults in while another range is still open.'
        : 'Drivers that wait for the end of the range never map anything there again.',
    ],
  },

  'tlb-flush-missing-before-free': {
    title: () => 'page freed before its TLB flush',
    summary: (t) => `${t.task} freed ${t.page} while its old translation${at(t)} was not flushed.`,
    reason: (t) => [
      t.yes('deferred') ? 'The flush was deferred and not made up for in time.' : null,
      STALE_MEANS,
      'The next owner of the page reads and loses what is written there.',
    ],
  },

  'tlb-cow-order': {
    title: () => 'COW: old translation flushed too late',
    summary: (t) =>
      t.found.cause === 'rmap-before-flush'
        ? `${t.task} removed the mapping of ${t.page}${at(t)} before its translation was flushed.`
        : `${t.task} made ${t.newPage} visible${at(t)} before the translation to ${t.page} was flushed.`,
    reason: () => ['Two CPUs of one process see two different pages behind one address.'],
  },

  'tlb-mremap-move': {
    title: () => 'mremap dropped its lock before the TLB flush',
    summary: (t) =>
      `${t.task} moved the PTE of ${t.page} away from ${t.target} and dropped the lock of its new place before the old one was flushed.`,
    reason: () => ['Whoever frees the page at its new address does not flush the old one.', STALE_MEANS],
  },

  'tlb-batched-reclaim-race': {
    title: (t) => `${t.found.cause} returned before a deferred TLB flush`,
    summary: (t) =>
      `${t.task} returned from ${t.found.cause}, while the flush that reclaim had put off for ${t.target} was still due.`,
    reason: () => [
      'The PTE was not present any more, so the call had nothing to flush for it; a CPU can still write through the old translation.',
    ],
  },

  'tlb-migrate-vma': {
    title: () => 'migration dropped the page-table lock before the TLB flush',
    summary: (t) =>
      `${t.task} put a migration entry in place of ${t.page}${at(t)} and dropped the lock before the old translation was flushed.`,
    reason: () => ['What a CPU writes through the old translation is not in the copy.'],
  },

  'tlb-write-after-protect': {
    title: () => 'write through a translation that was taken away',
    summary: (t) =>
      `${t.task} wrote ${t.page} through ${t.target}, although ${t.who('protector') ?? 'another task'} had ${t.found.cause === 'unmapped' ? 'unmapped' : 'write-protected'} it and returned.`,
    reason: () => ['The translation should have been flushed before the call returned.'],
  },
};
