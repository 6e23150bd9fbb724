import { plural } from './format.ts';
import type { Prose, Told } from './sentences.ts';

/** What a check of a collapse says of who pinned the page. */
function pinnedBy(t: Told): string {
  const pinner = t.who('pinner');
  return pinner === null ? 'A pin' : `The pin that ${pinner} took`;
}

function writer(t: Told): string {
  return t.yes('device') ? 'a device' : 'a CPU through a TLB entry that was not flushed';
}

/** Sentences for the checks of KSM, khugepaged and migration. */
export const MACHINE_PROSE: Readonly<Record<string, Prose>> = {
  'ksm-in-place-reuse': {
    title: () => 'KSM page became writable in place',
    summary: (t) =>
      `${t.task} got a writable PTE to ${t.page} at ${t.target}, which is still registered in the stable tree of KSM.`,
    reason: (t) => [
      'The stable node holds no reference, so a reference count of 1 does not show it; ksmd may map the page for others while it is written.',
      t.number('merged') === null || t.number('merged') === 0
        ? null
        : `${plural(t.number('merged')!, 'PTE')} had been merged into it in this trace.`,
    ],
  },

  'ksm-unlocked-ref-race': {
    title: () => 'KSM lookup between the sole-user test and the reuse',
    summary: (t) =>
      `${t.task} reused ${t.page} at ${t.target}, while ${t.who('reader') ?? 'ksmd'} had just taken a reference to it from the stable tree.`,
    reason: () => [
      'The reference came after the test that the writer is the sole user, and the count was not frozen: what is written now can be mapped for others.',
    ],
  },

  'ksm-stale-stable-node': {
    title: () => 'merge into a stale KSM node',
    summary: (t) =>
      `${t.task} merged a page into ${t.page}, which is not the page of that stable node any more.`,
    reason: (t) => [
      t.found.cause === 'freed'
        ? 'The page was freed after it had entered the stable tree.'
        : "The page's mapping does not point back to the node.",
    ],
  },

  'zero-page-violation': {
    title: (t) =>
      t.found.cause === 'writable-pte' ? 'writable PTE to the zero page' : 'zero page is not left alone',
    summary: (t) =>
      `${t.task}: the zero page (${t.page}) ${
        {
          'writable-pte': `got a writable PTE at ${t.target}`,
          pinned: 'was pinned',
          dirty: 'was marked dirty',
        }[t.found.cause] ?? 'got a reverse mapping'
      }.`,
    reason: (t) => [t.found.severity === 'critical' ? 'Everybody reads what is written there.' : null],
  },

  'collapse-extra-refs': {
    title: (t) => `${t.yes('pinned') ? 'pinned page' : 'page with extra references'} collapsed by khugepaged`,
    summary: (t) =>
      `${t.task} collapsed ${t.page} at ${t.target} into a huge page, although it had ${t.number('extra') ?? 'some'} more references than its users explain.`,
    reason: () => [
      'The check of the references (is_refcount_suitable) must give up here: whoever holds them goes on using the old page.',
    ],
  },

  'gup-pin-broken-by-collapse': {
    title: () => 'pinned page replaced by a huge page (collapse)',
    summary: (t) =>
      `${t.task} collapsed the range around ${t.target}: the huge page took the place of ${t.page} while a pin taken through this mm was live.`,
    reason: (t) => [
      `${pinnedBy(t)} still targets the old page: what a device writes there is not seen through this mapping, and the other way round.`,
      t.yes('late')
        ? 'The pin came after the check of the references: GUP-fast was not shut out.'
        : 'The extra references were there at the check, which has to give up the collapse.',
    ],
  },

  'collapse-late-pin': {
    title: () => 'page pinned while it was being collapsed',
    summary: (t) =>
      `${t.page} at ${t.target} got a GUP reference by ${t.who('pinner') ?? 'a task'} between the check of its references and its release by the collapse.`,
    reason: (t) => [
      t.found.cause === 'own-mm'
        ? 'The page table was already unlinked: through this mm no reference should have been possible.'
        : t.found.severity === 'info'
          ? 'It came through another mm that shares the page read-only: its content cannot change, which is why the check allows for it.'
          : 'It came through another mm that can write the page.',
    ],
  },

  'collapse-lost-write': {
    title: () => 'write lost in a collapse',
    summary: (t) =>
      `${t.page} at ${t.target} was written by ${writer(t)} after it had been copied into the huge page.`,
    reason: () => ['The huge page does not have what was written.'],
  },

  'collapse-notifier-gap': {
    title: () => 'collapse outside an invalidation of secondary MMUs',
    summary: (t) =>
      `${t.task} cleared the PMD of ${t.target} for a collapse ${t.yes('late') ? 'before' : 'without'} telling the secondary MMUs of this mm.`,
    reason: () => ['A device may go on writing the small pages while they are copied.'],
  },

  'thp-mapcount-race': {
    title: () => 'huge page reused by a mapcount in flux',
    summary: (t) =>
      `${t.task} wrote ${t.target} in place on ${t.page}, a page of a large folio that was mapped ${t.number('total') ?? 'more than one'} times.`,
    reason: () => ['The mapcount was read while a PMD split was adding its parts one by one.'],
  },

  'migrate-pinned-page': {
    title: () => 'pinned page migrated',
    summary: (t) => `${t.task} moved ${t.page} to ${t.newPage} while a pin on it was live.`,
    reason: (t) => [`${pinnedBy(t)} still targets the page that was left.`],
  },

  'migration-entry-leaked': {
    title: (t) => `migration entry left behind after its page was ${t.found.cause}`,
    summary: (t) =>
      `The migration entry of ${t.page} at ${t.target} was not replaced when ${t.task} ${t.found.cause === 'freed' ? 'freed' : 'unlocked'} the page.`,
    reason: () => ['A fault on it waits for a migration that is over, or maps a page that is not its own.'],
  },

  'migration-lost-write': {
    title: () => 'write lost in a migration',
    summary: (t) =>
      `${t.page} at ${t.target} was written by ${writer(t)} after its content had gone to ${t.newPage}.`,
    reason: () => ['The new page does not have what was written.'],
  },
};
