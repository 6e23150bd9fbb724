import type { Prose, Told } from './sentences.ts';

const BAD_PAGE = 'The kernel itself says "Bad page state" where its checks are on.';

function flagged(what: string, why: string): Prose {
  return {
    title: () => `page freed while ${what}`,
    summary: (t) => `${t.task} freed ${t.page} while it was ${what}.`,
    reason: () => [why, BAD_PAGE],
  };
}

/** "app/4711", or "another task". */
function holder(t: Told): string {
  return t.who('holder') ?? 'another task';
}

/** Sentences for the checks of the life of pages and of their locks. */
export const LIFETIME_PROSE: Readonly<Record<string, Prose>> = {
  'free-while-mapped': {
    title: () => 'page freed while mapped',
    summary: (t) =>
      t.text('mapcount') === null
        ? `${t.task} freed ${t.page}, which a PTE still maps${t.target === 'a page' ? '' : ` at ${t.target}`}.`
        : `${t.task} dropped the last reference of ${t.page}, whose mapcount was ${t.text('mapcount')}.`,
    reason: () => ['Whoever writes through that PTE writes the memory of the next owner.', BAD_PAGE],
  },

  'free-while-pinned': {
    title: () => 'page freed while pinned',
    summary: (t) =>
      `${t.task} dropped the last reference of ${t.page}, while the pin of ${t.who('pinner') ?? 'another task'} was live.`,
    reason: () => [
      'The references of the pin were put one by one, or by somebody who did not hold them; the device goes on with memory that is not its own.',
    ],
  },

  'free-while-locked': flagged('locked', 'Whoever holds the lock, or waits for it, deals with a free page.'),
  'free-while-writeback': flagged(
    'under writeback',
    'What is written to the device from now on is what the next owner puts there.',
  ),
  'free-while-on-lru': flagged('on an LRU list', 'Reclaim will find it there as the page of its next owner.'),

  'refcount-mapcount-inconsistent': {
    title: () => 'more mappings than references',
    summary: (t) =>
      `${t.page} had a mapcount of ${t.text('mapcount') ?? 'more'} and a refcount of ${t.text('refcount') ?? 'less'}, in a record of ${t.task}.`,
    reason: () => ['A mapping holds no reference of its own: the page can be freed while it is mapped.'],
  },

  'ref-leak': {
    title: () => 'page with references that nobody holds',
    summary: (t) =>
      `${t.page} ends with a refcount of ${t.text('refcount') ?? 'more than 0'}: not mapped, not cached, not pinned, on no batch. ${t.task} changed the count last, and is gone.`,
    reason: () => ['It will never be freed.'],
  },

  'page-unlock-not-locked': {
    title: () => 'page unlocked that was not locked',
    summary: (t) => `${t.task} released the lock of ${t.page}, which was not locked.`,
    reason: (t) => [
      t.who('unlocker') === null ? null : `It was released before by ${t.who('unlocker')}.`,
      'Between the two releases another task could take the lock, and lose it again unnoticed.',
    ],
  },

  'page-unlock-by-non-owner': {
    title: () => 'page lock released by another task',
    summary: (t) => `${t.task} released the lock of ${t.page}, which ${holder(t)} holds.`,
    reason: () => ['No read of the page was under way whose end would have released it.'],
  },

  'page-lock-held-at-end': {
    title: () => 'page lock never released',
    summary: (t) => `${t.task} returned with ${t.page} locked, and no read of it was under way.`,
    reason: () => ['Whoever needs the page next waits for ever; an error path forgot its unlock.'],
  },

  'page-lock-recursion': {
    title: () => 'page lock taken twice by one task',
    summary: (t) => `${t.task} waits for the lock of ${t.page}, which it holds itself.`,
    reason: () => ['It will wait for ever.'],
  },

  'page-lock-order-inversion': {
    title: () => 'two page locks taken in both orders',
    summary: (t) =>
      `${t.task} waits for the lock of ${t.page}, which ${holder(t)} holds; that task waits for one that ${t.task} holds.`,
    reason: () => ['Neither will go on.'],
  },

  'lockless-swapcache-change': {
    title: () => 'swap cache changed without the page lock',
    summary: (t) =>
      `${t.page} ${t.text('how') ?? 'entered or left'} the swap cache by ${t.task} while not locked.`,
    reason: () => [
      'Whoever looked the page up may hold its lock and trust its entry; it can change under him.',
    ],
  },
};
