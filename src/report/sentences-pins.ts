import { plural } from './format.ts';
import type { Prose, Told } from './sentences.ts';

function pinner(t: Told): string {
  return t.who('pinner') ?? 'another task';
}

/** Sentences for the checks of fork, GUP lifetime, reclaim order, userfaultfd and faults. */
export const PIN_PROSE: Readonly<Record<string, Prose>> = {
  'gup-pin-broken-by-fork': {
    title: () => 'fork shared a pinned page with the child',
    summary: (t) =>
      `${t.task} forked: the child maps ${t.page} of ${t.target} too, although ${pinner(t)} has pinned it through the parent.`,
    reason: (t) => [
      'The next write of the parent copies the page and leaves the pin behind.',
      t.yes('designed')
        ? `${t.variant} shares pinned pages on fork: a known limit of this variant.`
        : 'A pinned page has to be copied for the child at once.',
    ],
  },

  'gup-fast-fork-race': {
    title: () => 'GUP-fast pinned a page while fork shared it',
    summary: (t) =>
      `${pinner(t)} pinned ${t.page} of ${t.target} by GUP-fast after fork had found it unpinned, and kept the pin; the child maps it too.`,
    reason: () => [
      'GUP-fast has to look at the write-protect sequence count of the mm again and unpin if it has moved.',
    ],
  },

  'foll-force-without-cow': {
    title: (t) =>
      t.yes('anon')
        ? 'forced write to a shared anonymous page'
        : 'forced write to the page cache (Dirty COW)',
    summary: (t) =>
      `${t.task} got ${t.page} at ${t.target} for a forced write, although its PTE is read-only and COW was never broken.`,
    reason: (t) => [
      t.yes('anon')
        ? 'The page is not exclusive: what is written shows up in memories that should be private.'
        : 'The page belongs to a file: what is written changes the file for everybody.',
    ],
  },

  'fork-swap-exclusive': {
    title: () => 'exclusive swap or migration entry duplicated by fork',
    summary: (t) =>
      `${t.task} forked: the entry of ${t.target} is still marked as exclusive in the ${t.yes('child') ? 'child' : 'parent'}, although both have it now.`,
    reason: () => ['Whoever faults it in maps the page writable, although the other one has it too.'],
  },

  'madvfree-discards-dma-write': {
    title: () => 'lazily freed page discarded with a write under way',
    summary: (t) => `${t.task} discarded ${t.page} of ${t.target} after MADV_FREE.`,
    reason: (t) => [
      t.yes('dirty')
        ? 'The page had become dirty after it was looked at.'
        : `${pinner(t)} holds a GUP reference to it and may have written it.`,
      'What was written is lost: the next access reads zeroes.',
    ],
  },

  'remove-mapping-dirty-order': {
    title: () => 'dirty page freed by reclaim',
    summary: (t) => `${t.task} froze ${t.page} while it was dirty, and freed it all the same.`,
    reason: () => ['The dirty flag has to be looked at after the freeze, or a last writer is missed.'],
  },

  'uffd-wp-bypass': {
    title: (t) =>
      t.found.cause === 'writable'
        ? 'PTE is writable and write-protected by userfaultfd'
        : 'write past userfaultfd write protection',
    summary: (t) =>
      t.found.cause === 'writable'
        ? `${t.task} got a PTE at ${t.target} that is both writable and uffd-wp.`
        : `${t.page} at ${t.target} was written without a fault, although userfaultfd protects the address.`,
    reason: () => ['The monitor does not hear of what is written.'],
  },

  'gup-unpin-unbalanced': {
    title: () => 'GUP reference dropped by the wrong call',
    summary: (t) =>
      t.found.cause === 'pin-dropped-by-put'
        ? `${t.task} put a reference of ${t.page} that was a part of a pin: ${t.text('refcount') ?? 'too few'} references are left for ${plural(t.number('pins') ?? 1, 'pin')} and its other users.`
        : `${t.task} unpinned ${t.page} at a count of ${t.text('refcount') ?? 'less than a pin'}: no pin was there to be dropped.`,
    reason: () => ['Other users lose their reference, or the page is never freed.'],
  },

  'longterm-pin-movable': {
    title: () => 'long-term pin on a page that must stay movable',
    summary: (t) => `${pinner(t)} holds a long-term pin on ${t.page} of ${t.target}, in CMA or ZONE_MOVABLE.`,
    reason: () => ['The page has to be migrated away before it is pinned.'],
  },

  'uffd-move-swap-race': {
    title: () => 'swap PTE moved while its page is in the swap cache',
    summary: (t) => `${t.task} moved the swap PTE of ${t.target} while ${t.page} caches its entry, unlocked.`,
    reason: () => ['A swap-in maps the page with the index of the old address.'],
  },

  'fault-without-progress': {
    title: () => 'page fault makes no progress',
    summary: (t) =>
      `${t.task} faulted ${t.text('faults') ?? 'many'} times on ${t.target}, and its PTE did not change.`,
    reason: () => ['Something that the fault waits for does not come.'],
  },

  'vma-use-after-free': {
    title: () => 'VMA used after free',
    summary: (t) => `${t.task} used a VMA that was freed.`,
    reason: () => [],
  },
};
