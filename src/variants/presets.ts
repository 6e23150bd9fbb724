import { type Axes, type AxisId, axisValue } from './axes.ts';
import { makeVariant } from './make-variant.ts';
import type { Variant } from './variant.ts';

/** Ids of axis values. */
type Choice = Readonly<Record<AxisId, string>>;

/** What no preset but a mutant departs from. */
const EVERY_KERNEL = {
  'unmap-order': 'dup-first',
  'reuse-dirty': 'set',
  'pte-same': 'checked',
  migrate: 'checked',
  'private-order': 'wmb',
  driver: 'retry',
} as const;

/** A preset of the table below, in the order of its columns. */
function row(
  cow: string,
  swapinReuse: string,
  swapinOrder: string,
  ksm: string,
  gupRead: string,
  fork: string,
  swapoff: string,
  notifier: string,
  collapse: string,
  gupFast: string,
  swapSkip: string,
  tlb: string,
): Choice {
  return {
    cow,
    'swapin-reuse': swapinReuse,
    'swapin-order': swapinOrder,
    ksm,
    'gup-read': gupRead,
    fork,
    swapoff,
    notifier,
    collapse,
    'gup-fast': gupFast,
    'swap-skip': swapSkip,
    tlb,
    ...EVERY_KERNEL,
  };
}

interface Named {
  readonly id: string;
  readonly released: boolean;
  readonly rank: number;
  readonly choice: Choice;
}

const SEQCOUNT = 'early-copy+seqcount';
const CHANGE_PTE = 'sync-page+change-pte';
const AT_ONCE = 'at-once';
const MOVE = 'batched+move';
const UFFD = 'batched+uffd';

/**
 * The rules that kernels were released with, on x86. Version labels are defaults only: stable trees backport
 * (6.1 stands for 6.1.192).
 */
// biome-ignore format: a table is read by its columns
const TABLE: readonly Named[] = [
  { id: '2.6.26', released: true, rank: 206.26,
    choice: row('trylock', 'can-share', 'rmap-first', 'absent', 'plain', 'share', 'locked', 'none', 'none', 'none', 'none', AT_ONCE) },
  { id: 'hugh-2008', released: false, rank: 206.265,
    choice: row('hugh', 'hugh', 'rmap-first', 'absent', 'plain', 'share', 'locked', 'none', 'none', 'none', 'none', AT_ONCE) },
  { id: '2.6.29', released: true, rank: 206.29,
    choice: row('waitlock', 'reuse-swap-page', 'rmap-first', 'absent', 'plain', 'share', 'locked', 'sync-page', 'none', 'ipi', 'none', AT_ONCE) },
  { id: '2.6.33', released: true, rank: 206.33,
    choice: row('waitlock', 'reuse-swap-page', 'rmap-first', 'never-reuse', 'plain', 'share', 'locked', CHANGE_PTE, 'none', 'ipi', 'none', AT_ONCE) },
  { id: '4.6', released: true, rank: 406,
    choice: row('thp', 'reuse-swap-page', 'rmap-first', 'never-reuse', 'plain', 'share', 'locked', CHANGE_PTE, 'count1', 'ipi', 'none', 'batched') },
  { id: '5.1', released: true, rank: 501,
    choice: row('ksmreuse', 'reuse-swap-page', 'rmap-first', 'reuse+freeze', 'plain', 'share', 'window', 'range', 'count1', 'ipi', 'unsafe', MOVE) },
  { id: '5.8', released: true, rank: 508,
    choice: row('ksmreuse', 'reuse-swap-page', 'rmap-first', 'reuse+freeze', 'force-cow', 'share', 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', MOVE) },
  { id: '5.9-rc5', released: false, rank: 508.9,
    choice: row('refcount', 'reuse-swap-page', 'rmap-first', 'never-reuse', 'plain', 'share', 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', MOVE) },
  { id: '5.9', released: true, rank: 509,
    choice: row('refcount', 'reuse-swap-page', 'rmap-first', 'never-reuse', 'plain', 'early-copy', 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', MOVE) },
  { id: '5.11', released: true, rank: 511,
    choice: row('refcount', 'reuse-swap-page', 'rmap-first', 'never-reuse', 'plain', SEQCOUNT, 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', MOVE) },
  { id: '5.18', released: true, rank: 518,
    choice: row('refcount-swap', 'refcount', 'free-first', 'never-reuse', 'plain', SEQCOUNT, 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', UFFD) },
  { id: '5.19', released: true, rank: 519,
    choice: row('exclusive', 'exclusive', 'free-first', 'never-reuse', 'unshare-pin', SEQCOUNT, 'window+rcu', 'range', 'mapcount', 'ipi', 'unsafe', UFFD) },
  { id: '6.1', released: true, rank: 601,
    choice: row('exclusive', 'exclusive', 'free-first', 'never-reuse', 'unshare-pin', SEQCOUNT, 'getdev', 'range', 'mapcount', 'pmd-recheck', 'prepare', UFFD) },
  { id: '6.12', released: true, rank: 612,
    choice: row('exclusive', 'exclusive-read', 'free-first', 'never-reuse', 'unshare-pin', SEQCOUNT, 'getdev', 'range+hook', 'mapcount', 'pmd-recheck', 'prepare', UFFD) },
  { id: '6.15', released: true, rank: 615,
    choice: row('exclusive-large', 'exclusive-read', 'free-first', 'never-reuse', 'unshare-pin', SEQCOUNT, 'getdev', 'range+hook', 'mapcount', 'pmd-recheck', 'prepare', UFFD) },
];

/** Variants that break one line of a kernel, to show what the line is for. None is a kernel. */
const MUTANTS: ReadonlyArray<{ readonly id: string; readonly from: string; readonly set: Partial<Choice> }> =
  [
    { id: 'free-first-under-hugh', from: 'hugh-2008', set: { 'swapin-order': 'free-first' } },
    { id: 'unmap-rmap-first', from: 'hugh-2008', set: { 'unmap-order': 'rmap-first' } },
    { id: 'private-no-wmb', from: 'hugh-2008', set: { 'private-order': 'none' } },
    { id: 'ksm-nofreeze', from: '5.1', set: { ksm: 'reuse-nofreeze' } },
    { id: 'ksm-refcount-only', from: '5.9', set: { ksm: 'refcount-only' } },
    { id: 'collapse-nocheck', from: '6.12', set: { collapse: 'no-check' } },
    { id: 'fork-no-wrprotect', from: '6.12', set: { fork: 'no-wrprotect' } },
    { id: 'reuse-no-setdirty', from: '2.6.29', set: { 'reuse-dirty': 'none' } },
    { id: 'no-pte-same', from: '6.12', set: { 'pte-same': 'unchecked' } },
    { id: 'free-before-flush', from: '6.12', set: { tlb: 'free-early' } },
    { id: 'cow-late-flush', from: '6.12', set: { tlb: 'cow-late' } },
    { id: 'protect-no-flush', from: '6.12', set: { tlb: 'protect-unflushed' } },
    { id: 'migrate-late-flush', from: '6.12', set: { tlb: 'migrate-late' } },
    { id: 'migrate-uncounted', from: '6.12', set: { migrate: 'uncounted' } },
    { id: 'migrate-unrestored', from: '6.12', set: { migrate: 'unrestored' } },
    { id: 'migrate-unflushed', from: '6.12', set: { migrate: 'unflushed' } },
    { id: 'notifier-async', from: '6.12', set: { driver: 'async' } },
  ];

/** The value of an axis by its id; a name that no axis has is a mistake in a table of this folder. */
function pick<Id extends AxisId>(axis: Id, choice: Choice): Axes[Id] {
  const value = axisValue(axis, choice[axis]);
  if (value === undefined) throw new Error(`axis ${axis} has no value ${choice[axis]}`);
  return value;
}

function axesOf(choice: Choice): Axes {
  return {
    cow: pick('cow', choice),
    'swapin-reuse': pick('swapin-reuse', choice),
    'swapin-order': pick('swapin-order', choice),
    ksm: pick('ksm', choice),
    'gup-read': pick('gup-read', choice),
    fork: pick('fork', choice),
    swapoff: pick('swapoff', choice),
    notifier: pick('notifier', choice),
    collapse: pick('collapse', choice),
    'gup-fast': pick('gup-fast', choice),
    'swap-skip': pick('swap-skip', choice),
    'unmap-order': pick('unmap-order', choice),
    'reuse-dirty': pick('reuse-dirty', choice),
    'pte-same': pick('pte-same', choice),
    tlb: pick('tlb', choice),
    migrate: pick('migrate', choice),
    'private-order': pick('private-order', choice),
    driver: pick('driver', choice),
  };
}

/** Released kernels and the patch that was never merged, oldest first. */
export const PRESETS: readonly Variant[] = TABLE.map(({ id, choice, rank, released }) =>
  makeVariant({ id, preset: id, rank, released }, axesOf(choice)),
);

/** Mutants of presets. */
export const MUTANT_PRESETS: readonly Variant[] = MUTANTS.map(({ id, from, set }) => {
  const base = TABLE.find((preset) => preset.id === from)!;
  return makeVariant(
    { id, preset: id, rank: base.rank, released: false },
    axesOf({ ...base.choice, ...set }),
  );
});

/** Everything that has a name, presets first. */
export const VARIANTS: readonly Variant[] = [...PRESETS, ...MUTANT_PRESETS];

/** The preset or mutant of this name, or undefined. */
export function variantById(id: string): Variant | undefined {
  return VARIANTS.find((variant) => variant.id === id);
}
