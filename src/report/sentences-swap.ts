import { entryHex } from '../core/pte.ts';
import { hexOrNull, plural } from './format.ts';
import type { Prose, Told } from './sentences.ts';

/** "slot 0x24 of device 0", or "a swap slot". */
function slot({ found }: Told): string {
  const { entry } = found.place;
  return entry === null ? 'a swap slot' : `swap entry ${entryHex(entry)}`;
}

function device(told: Told): string {
  const type = told.number('type');
  return type === null ? 'the swap device' : `swap device ${type}`;
}

function otherSlot(told: Told, name: string): string {
  const entry = told.number(name);
  return entry === null ? 'another entry' : `entry ${entryHex(entry)}`;
}

function users(told: Told): string {
  const count = told.number('count');
  return count === null ? 'users' : plural(count, 'user');
}

const SWAPOFF = 'swapoff';

function whoFreed(told: Told): string {
  return told.who('offTask') ?? SWAPOFF;
}

/** Why swapoff should have waited, or did not have to. */
function protection(told: Told): string {
  if (told.yes('held'))
    return 'It held a spinlock throughout: a swapoff that waits for RCU readers, or for references to the device, could not have come so far.';
  return told.yes('got')
    ? 'It held a reference to the device, which swapoff has to wait for.'
    : 'No reference to the device is seen, and no lock.';
}

/** Prose of the checks on swap. */
export const SWAP_PROSE: Readonly<Record<string, Prose>> = {
  'swapoff-uaf-si': {
    title: () => 'swap device used after swapoff freed it',
    summary: (t) =>
      t.found.cause === 'inside-at-teardown'
        ? `${t.task} was inside free_swap_and_cache() with ${slot(t)} while ${whoFreed(t)} freed swap_map and clusters of ${device(t)}.`
        : `${t.task} used ${device(t)} with ${slot(t)} after ${whoFreed(t)} had freed its swap_map and clusters.`,
    reason: (t) => [
      t.found.cause === 'inside-at-teardown'
        ? 'After the count was dropped nothing of this slot holds swapoff back: try_to_unuse finds nothing in use and takes no page-table lock. The load from the freed swap_map is not in the trace.'
        : 'A function that is given the device itself ran on it: what it read is freed memory.',
    ],
  },

  'swapoff-unprotected-si-use': {
    title: (t) =>
      t.yes('torn')
        ? 'swap device torn down under its user'
        : 'swap device used without anything that holds swapoff back',
    summary: (t) =>
      t.yes('torn')
        ? `${t.task} entered free_swap_and_cache() with ${slot(t)} before ${whoFreed(t)} tore ${device(t)} down, and left it afterwards.`
        : `${t.task} used ${device(t)} with ${slot(t)} without a reference to it${t.yes('held') ? ', under a lock that swapoff of this variant does not wait for' : ' and without a lock'}.`,
    reason: (t) => [
      t.yes('torn') ? protection(t) : null,
      t.yes('torn')
        ? 'So nothing kept the device alive: the contract is broken whether or not freed memory was read.'
        : 'A swapoff at this moment could free swap_map and clusters under it.',
    ],
  },

  'swap-count-underflow': {
    title: () => 'swap count below zero',
    summary: (t) => `${t.task} dropped a user of ${slot(t)}, which had none.`,
    reason: (t) => [
      t.who('freer') === null ? null : `The last change before was made by ${t.who('freer')}.`,
      'The slot can be given to another page while a PTE still refers to it.',
    ],
  },

  'swap-count-overflow': {
    title: (t) =>
      t.found.cause === 'slot-was-free' ? 'swap_duplicate of a free slot' : 'swap count beyond its range',
    summary: (t) =>
      t.found.cause === 'slot-was-free'
        ? `${t.task} added a user to ${slot(t)}, which was in the free pool.`
        : `${t.task} added a user to ${slot(t)}, which had ${users(t)} already, and no continuation counts it.`,
    reason: () => ['The slot will be freed while PTEs still refer to it.'],
  },

  'swap-entry-leak': {
    title: (t) =>
      t.found.cause === 'counted-after-swapoff'
        ? 'swapoff ended with a slot still counted'
        : 'swap slot leaked',
    summary: (t) =>
      t.found.cause === 'counted-after-swapoff'
        ? `${t.task} ended try_to_unuse of ${device(t)} while ${slot(t)} still counts ${users(t)}.`
        : `At the end of the trace ${slot(t)} counts ${users(t)}, and ${plural(t.number('ptes') ?? 0, 'PTE')} hold its entry.`,
    reason: (t) => [
      t.found.cause === 'counted-after-swapoff'
        ? 'Its user will look at a device that is gone.'
        : 'A PTE lost the entry without giving its count back: the slot is never freed, and swapoff does not end.',
    ],
  },

  'swap-slot-freed-in-use': {
    title: () => 'swap slot freed while in use',
    summary: (t) =>
      t.found.cause === 'counted'
        ? `${t.task} freed ${slot(t)}, which still counts ${users(t)}.`
        : `${t.task} freed or reused ${slot(t)} while ${t.page} was cached under it.`,
    reason: () => [
      'The slot can be given to another page: whoever swaps in from it reads what is not theirs.',
    ],
  },

  'swapcache-delete-wrong-entry': {
    title: () => 'swap cache page deleted under another entry than it was looked up under',
    summary: (t) =>
      `${t.task} looked ${t.page} up under ${otherSlot(t, 'lookedUp')} and deleted it from the swap cache under ${slot(t)}.`,
    reason: () => [
      'The page had moved in between and its entry was not read again under the lock: the slot of another page is dropped.',
    ],
  },

  'swapcount-seen-too-low': {
    title: () => 'mapcount and swap count seen too low',
    summary: (t) =>
      `${t.task} decided on the counts of ${t.page} while one of its references was counted neither as a mapping nor in its slot.`,
    reason: (t) => [
      t.found.cause === 'unmap'
        ? 'The mapping was removed before the slot was counted: the sum of both is one too low in between.'
        : 'The slot was given back before the mapping was counted: the sum of both is one too low in between.',
      t.found.severity === 'info'
        ? 'Only a variant that reads the sum without the page lock is hurt by it.'
        : null,
    ],
  },

  'stale-swap-private': {
    title: () => 'stale swap entry read from a page of the swap cache',
    summary: (t) =>
      `${t.task} saw ${t.page} in the swap cache and read ${otherSlot(t, 'read')} from it; it is cached under ${slot(t)}.`,
    reason: () => [
      'The flag became visible before the entry did, or was read after it: the count of a wrong slot is consulted.',
    ],
  },

  'anon-page-discarded-unsaved': {
    title: () => 'anonymous page freed before its content was saved',
    summary: (t) =>
      `${t.task} freed ${t.page}, the last copy, while ${slot(t)} counts ${users(t)} and was never given its content.`,
    reason: () => ['The next swap-in reads what the slot held before: the content is lost.'],
  },

  'swap-slot-freed-without-dirty': {
    title: () => 'page left the swap cache without being marked dirty',
    summary: (t) =>
      `${t.task} freed ${slot(t)} of ${t.page} and unlocked the page clean: it is the only copy now.`,
    reason: () => ['Reclaim may drop a clean page without writing it anywhere.'],
  },

  'swapin-stale-install': {
    title: () => 'swap-in installed stale content',
    summary: (t) =>
      `${t.task} installed ${t.page}${t.found.place.address === null ? '' : ` at ${hexOrNull(t.found.place.address)}`} as the content of ${slot(t)}, read before the slot was freed and written anew.`,
    reason: () => [
      'The PTE held the same entry again, so it looked unchanged (ABA): what the process stored in between is lost.',
    ],
  },

  'swapin-wrong-cache-page': {
    title: () => 'swap-in installed a page of another entry',
    summary: (t) =>
      `${t.task} installed ${t.page} for ${slot(t)}, although it was cached under ${otherSlot(t, 'under')}.`,
    reason: () => ['The page had moved between the lookup and its lock, and its entry was not read again.'],
  },

  'writeback-overwrite': {
    title: (t) =>
      t.found.cause === 'uncached'
        ? 'page under writeback deleted from the swap cache'
        : 'page changed while it was written to swap',
    summary: (t) =>
      t.found.cause === 'uncached'
        ? `${t.task} took ${t.page} out of the swap cache while it was being written to ${slot(t)}.`
        : `${t.task} ${t.found.cause === 'reused' ? 'made writable' : 'wrote to'} ${t.page} while it was being written to ${slot(t)}, whose device needs stable pages.`,
    reason: (t) => [
      t.found.cause === 'uncached'
        ? 'The slot can be given to another page while the write is on its way.'
        : 'What arrives on the device is neither the old content nor the new one.',
    ],
  },
};
