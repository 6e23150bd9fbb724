import type { Divergence } from '../checks/finding.ts';
import type { Analysis } from '../replay/analysis.ts';
import { escapeText } from './escape.ts';
import { count, hexOrNull, plural } from './format.ts';
import { LIFETIME_PROSE } from './sentences-lifetime.ts';
import { MACHINE_PROSE } from './sentences-machines.ts';
import { MAPPING_PROSE } from './sentences-mappings.ts';
import { PIN_PROSE } from './sentences-pins.ts';
import { SWAP_PROSE } from './sentences-swap.ts';
import { taskNames } from './tasks.ts';

/**
 * Every sentence that a report says of a divergence, by check. Sentences are made from the place and the `values`
 * of a finding; a value that is not known leaves its half-sentence out, it is never replaced by a guess.
 */

/** What the sentences of one divergence are made from. */
export interface Told {
  readonly found: Divergence;
  readonly variant: string | null;
  /** The task at the place: app/4711. */
  readonly task: string;
  /** "address 0x7f00", or "a page" where the address is not known. */
  readonly target: string;
  /** "page 0x17ac9", or "the page". */
  readonly page: string;
  readonly newPage: string;
  /** A number among the values, or null. */
  number(name: string): number | null;
  /** A text among the values, escaped, or null. */
  text(name: string): string | null;
  /** Whether a value is known to be true. */
  yes(name: string): boolean;
  /** The task whose pid is among the values, or null. */
  who(name: string): string | null;
}

/** Prose of one check. */
export interface Prose {
  /** What went wrong and where, without the page or the task: the subject of a mail. */
  title(told: Told): string;
  /** Who did what to what: one sentence that stands alone. */
  summary(told: Told): string;
  /** Why it happened, and what it means: sentences, possibly none. */
  reason(told: Told): readonly (string | null)[];
}

/** How a reference, a lock or a state made an exclusive page look shared, by cause of unexpected-cow. */
const COPY_CAUSES: Readonly<Record<string, (told: Told) => string>> = {
  'page-lock': (t) =>
    `${t.who('holder') ?? 'Another task'} held the page lock, so the trylock failed and the kernel took "cannot lock" for "shared".`,
  'lru-isolated': (t) =>
    `${t.who('holder') ?? 'Another task'} had isolated the page from the LRU; the reference of the isolation was counted as another user.`,
  'lru-batch': () =>
    'The page was still in a per-CPU LRU batch; the reference of the batch was counted as another user.',
  'swapcache-ref': () =>
    'The page was still in the swap cache; the reference of the cache was counted as another user.',
  'own-gup': () => "A GUP reference through this task's own mm was counted as another user.",
  'mmu-gather': () =>
    'Another mapping was already gone, but its reference was not yet put (it waits for the TLB flush); it was counted as another user.',
  'sibling-cow': () =>
    'Another task was just copying the same page; the reference of its copy was counted as another user.',
  'swapin-ref': () => 'A swap-in in flight held a reference, which was counted as another user.',
  'unknown-ref': () =>
    'One more reference than its known holders explain was counted as another user; the trace does not say whose it is.',
  'large-folio': () =>
    'The page belongs to a large folio, which this kernel never reuses unless it is AnonExclusive.',
};

function copyReason(told: Told): string | null {
  return COPY_CAUSES[told.found.cause]?.(told) ?? null;
}

/** " under reclaim" where that check fired on the same moment. */
function underReclaim({ found }: Told): string {
  const fired = found.consequences.some((also) => also.check === 'unexpected-cow-under-reclaim');
  return fired ? ' under reclaim' : '';
}

/** "pin" of FOLL_PIN, "GUP reference" of FOLL_GET. */
function hold(told: Told): string {
  return told.yes('pinned') ? 'pin' : 'GUP reference';
}

function pinSentence(told: Told): string | null {
  const pinner = told.who('pinner');
  if (!told.yes('pinned') && pinner === null) return null;
  return `The ${hold(told)}${pinner === null ? '' : ` that ${pinner} took`} still targets the old page: what is written there through it is not seen through this mapping any more, and the other way round.`;
}

const unexpectedCow: Prose = {
  title: (t) =>
    t.yes('pinned')
      ? 'unexpected COW of a pinned exclusive page in do_wp_page'
      : 'unexpected COW of an exclusive page in do_wp_page',
  summary: (t) => `${t.task} wrote ${t.target} and got a copy of ${t.page}, although it owned the page.`,
  reason: (t) => [copyReason(t), pinSentence(t), designSentence(t)],
};

function designSentence(told: Told): string | null {
  if (told.found.severity !== 'info') return null;
  return told.variant === null
    ? 'No data is lost by this; it costs a copy.'
    : `${told.variant} computes a copy from these inputs: by design of this variant.`;
}

/** Cause of the one policy-mismatch that speaks of the whole trace. */
export const ANOTHER_VARIANT = 'another-variant';

function anotherVariant(told: Told): string {
  const [differing, judged, agreed] = ['differing', 'judged', 'bestAgreed'].map(
    (name) => told.text(name) ?? 'some',
  );
  const variant = told.text('variant') ?? 'the declared variant';
  return `${differing} of ${judged} judged decisions differ from what ${variant} computes; the best match among released kernels is ${told.text('best') ?? 'unknown'}, with ${agreed} of ${judged}.`;
}

const PROSE: Readonly<Record<string, Prose>> = {
  'unexpected-cow': unexpectedCow,

  'unexpected-cow-under-reclaim': {
    ...unexpectedCow,
    title: (t) =>
      `unexpected COW of ${t.yes('pinned') ? 'a pinned page' : 'an exclusive page'} in do_wp_page under reclaim`,
  },

  'gup-pin-broken-by-cow': {
    title: (t) =>
      `${t.yes('pinned') ? 'pinned' : 'GUP-referenced'} page replaced by COW in do_wp_page${underReclaim(t)}`,
    summary: (t) =>
      `${t.task} wrote ${t.target}: the PTE moved from ${t.page} to ${t.newPage} while a ${hold(t)} taken through this mapping was live.`,
    reason: (t) => [copyReason(t), pinSentence(t), designSentence(t)],
  },

  'missed-cow': {
    title: () => 'missed COW: a shared page became writable in place',
    summary: (t) =>
      `${t.task} wrote ${t.target} in place on ${t.page}, although others can still see the page.`,
    reason: (t) => [
      t.number('sharers') === null
        ? null
        : `${plural(t.number('sharers')!, 'other mm')} with a PTE to it known from the trace.`,
      'What this task writes shows up in a memory that should be private.',
    ],
  },

  'cow-leak-through-gup-ref': {
    title: () => 'COW leak: page reused in place under a foreign GUP reference',
    summary: (t) =>
      `${t.task} wrote ${t.target} in place on ${t.page}, while ${t.who('reader') ?? 'another process'} holds a GUP reference to it.`,
    reason: (t) => [
      `${t.who('reader') ?? 'The other process'} took the reference through its own mm and can read what is written from now on; the read itself is not in the trace.`,
    ],
  },

  'policy-mismatch': {
    title: (t) =>
      t.found.cause === ANOTHER_VARIANT
        ? `this trace does not follow ${t.text('variant') ?? t.variant ?? 'the declared variant'}`
        : `do_wp_page did not follow ${t.text('variant') ?? t.variant ?? 'the declared variant'}`,
    summary: (t) => {
      if (t.found.cause === ANOTHER_VARIANT) return anotherVariant(t);
      const variant = t.text('variant') ?? t.variant ?? 'the variant';
      const observed = t.text('observed') ?? 'another outcome';
      const expected = t.text('expected') ?? 'something else';
      return `${t.task} wrote ${t.target} on ${t.page}: the kernel decided ${observed}, where ${variant} computes ${expected} from the same inputs.`;
    },
    reason: (t) => [
      t.found.cause === ANOTHER_VARIANT ? 'The decisions that differ stand below, by class of inputs.' : null,
      t.text('reason') === null ? null : `The step of the variant that decides: ${t.text('reason')}.`,
      t.text('inputs') === null ? null : `Inputs: ${t.text('inputs')}.`,
    ],
  },

  'refcount-underflow': {
    title: () => 'reference count below zero',
    summary: (t) =>
      `No order of the records keeps the reference count of ${t.page} at zero or more: ${t.task} put a reference that nobody held.`,
    reason: () => ['A reference was put twice, or taken where the trace does not show it.'],
  },

  'use-after-free-page': {
    title: () => 'page used after free',
    summary: (t) => `${t.task} used ${t.page} between its free and its next allocation.`,
    reason: (t) => [t.text('use') === null ? null : `The use: ${t.text('use')}.`],
  },

  'double-free-page': {
    title: () => 'page freed twice',
    summary: (t) => `${t.task} freed ${t.page}, which was free already.`,
    reason: (t) => [t.who('freer') === null ? null : `It was freed before by ${t.who('freer')}.`],
  },

  'mapcount-negative': {
    title: () => 'mapping removed from an unmapped page',
    summary: (t) => `${t.task} removed a mapping of ${t.page}, which had none.`,
    reason: () => ['A mapping was removed twice, or the page was zapped without being mapped.'],
  },
  ...MACHINE_PROSE,
  ...MAPPING_PROSE,
  ...LIFETIME_PROSE,
  ...PIN_PROSE,
  ...SWAP_PROSE,
};

/** What is said of a check that has no prose of its own: only what every finding carries. */
function genericProse(check: string): Prose {
  return {
    title: () => check.replaceAll('-', ' '),
    summary: (t) => `${check} on ${t.page} by ${t.task}${t.target === 'a page' ? '' : ` at ${t.target}`}.`,
    reason: (t) => [t.found.cause === '' ? null : `Cause: ${escapeText(t.found.cause)}.`],
  };
}

function told(found: Divergence, analysis: Analysis): Told {
  const tasks = taskNames(analysis.trace);
  const { values, place } = found;
  const value = (name: string): number | string | boolean | null => values[name] ?? null;
  const number = (name: string): number | null => {
    const it = value(name);
    return typeof it === 'number' && !Number.isNaN(it) ? it : null;
  };
  const address = hexOrNull(place.address);
  const pfn = hexOrNull(place.pfn);
  const newPfn = hexOrNull(place.newPfn);
  return {
    found,
    variant: analysis.variant === null ? null : escapeText(analysis.variant),
    task: tasks.label(place.pid),
    target: address ?? 'a page',
    page: pfn === null ? 'the page' : `page ${pfn}`,
    newPage: newPfn === null ? 'another page' : `page ${newPfn}`,
    number,
    text(name) {
      const it = value(name);
      if (it === null || typeof it === 'boolean') return null;
      return typeof it === 'number' ? count(it) : escapeText(it);
    },
    yes: (name) => value(name) === true,
    who: (name) => (number(name) === null ? null : tasks.label(number(name))),
  };
}

const proseOf = (check: string): Prose => PROSE[check] ?? genericProse(check);

/** The subject line of a divergence, without its prefix. */
export function title(found: Divergence, analysis: Analysis): string {
  return proseOf(found.check).title(told(found, analysis));
}

/** One sentence that stands alone. */
export function summary(found: Divergence, analysis: Analysis): string {
  return proseOf(found.check).summary(told(found, analysis));
}

/** The sentences behind the summary: why, and what it means. */
export function reasons(found: Divergence, analysis: Analysis): readonly string[] {
  const given = told(found, analysis);
  return proseOf(found.check)
    .reason(given)
    .filter((sentence): sentence is string => sentence !== null);
}

/** A group of info severity in half a line. */
export function causePhrase(found: Divergence): string {
  return CAUSE_PHRASES[found.cause] ?? escapeText(found.cause).replaceAll('-', ' ');
}

const CAUSE_PHRASES: Readonly<Record<string, string>> = {
  'page-lock': 'page lock held by another task',
  'lru-isolated': 'isolated from the LRU',
  'lru-batch': 'reference of an LRU batch',
  'swapcache-ref': 'reference of the swap cache',
  'own-gup': 'GUP reference of the task itself',
  'mmu-gather': 'reference waiting for a TLB flush',
  'sibling-cow': 'a sibling copied the page at the same time',
  'swapin-ref': 'reference of a swap-in in flight',
  'unknown-ref': 'one reference without a known holder',
  'large-folio': 'large folio',
  'other-mm': 'pinned through another mm, which the check allows for',
};
