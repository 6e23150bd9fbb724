import type { Program } from './program.ts';

/** Checks that no scenario shows, and why. A check that gets a scenario leaves this list: a test holds both together. */
export const UNSHOWN: ReadonlyMap<string, string> = new Map([
  ['policy-mismatch', 'compares a trace with a variant, and a scenario is run by the variant itself'],
  ['foll-force-without-cow', 'the model has no file pages and no FOLL_FORCE'],
  ['ksm-stale-stable-node', 'a stable node of the model goes with its page'],
  ['zero-page-violation', 'the model has no zero page'],
  ['collapse-notifier-gap', 'a collapse of the model always tells the notifiers'],
  ['thp-mapcount-race', 'a PMD is split in one step'],
  ['fork-swap-exclusive', 'no mutant of fork keeps the mark of a swap entry'],
  ['madvfree-discards-dma-write', 'the model has no MADV_FREE'],
  ['remove-mapping-dirty-order', 'freezing a page and looking whether it is dirty is one step'],
  ['longterm-pin-movable', 'where a page lies does not change'],
  ['uffd-move-swap-race', 'the model has no UFFDIO_MOVE'],
  ['fault-without-progress', 'takes more faults than a scenario has'],
  ['vma-use-after-free', 'no trace can show it'],
  ['anon-exclusive-violation', 'shows beside others only (fork-writable)'],
  ['secondary-mmu-fault-in-invalidate', 'no mutant has a driver that does not retry; no preset does either'],
  ['mmu-notifier-unbalanced', 'the model ends every notification that it starts'],
  ['free-while-on-lru', 'the model does not tell the flags that the allocator finds'],
  ['lockless-swapcache-change', 'the model changes the swap cache under the page lock only'],
  ['swap-count-underflow', 'who frees a slot in the model had it counted'],
  ['swap-count-overflow', 'takes 62 users of one slot'],
  ['swap-entry-leak', 'processes outlive the scenario'],
  ['swap-slot-freed-in-use', 'the model frees a slot only where nothing is cached in it'],
  ['swapcache-delete-wrong-entry', 'looking a page up and taking it out of the cache is one step'],
  ['swapin-wrong-cache-page', 'a swap-in of the model looks at the page again under its lock (4969c1192d15)'],
  [
    'swapcount-seen-too-low',
    'shows as missed-cow (s0c-swapin, s0c-unmap): no step tells the sum that was read',
  ],
  ['anon-page-discarded-unsaved', 'takes a second swap-out of what reuse-undirtied leaves behind'],
  ['writeback-overwrite', 'the model has no device that needs stable pages'],
]);

/** Names of the scenarios that expect a check somewhere. */
export function scenariosOf(check: string, programs: readonly Program[]): string[] {
  return programs
    .filter(({ expectations }) =>
      expectations.some(({ found }) => found.has(check) && found.get(check) !== 'may'),
    )
    .map(({ name }) => name);
}
