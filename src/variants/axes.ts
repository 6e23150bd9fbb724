import { COLLAPSE_RULES, type CollapseRule } from './collapse.ts';
import { COW_RULES } from './cow/index.ts';
import { DRIVERS } from './driver.ts';
import { FORK_RULES, type ForkRule } from './fork.ts';
import { GUP_FAST } from './gup-fast.ts';
import { GUP_READS } from './gup-read.ts';
import { KSM_RULES, type KsmRule } from './ksm.ts';
import { MIGRATE_RULES } from './migrate.ts';
import { NOTIFIERS } from './notifier.ts';
import { PRIVATE_ORDERS } from './private-order.ts';
import { PTE_SAME } from './pte-same.ts';
import { REUSE_DIRTY } from './reuse-dirty.ts';
import { SWAP_SKIPS } from './swap-skip.ts';
import { SWAPIN_ORDERS } from './swapin-order.ts';
import { SWAPIN_RULES, type SwapinRule } from './swapin-reuse.ts';
import { SWAPOFF_RULES, type SwapoffRule } from './swapoff.ts';
import { TLB_RULES } from './tlb.ts';
import { UNMAP_ORDERS } from './unmap-order.ts';
import type { AxisValue, CowRule } from './variant.ts';

/** One value of each axis: a variant's rules. */
export interface Axes {
  readonly cow: CowRule;
  readonly 'swapin-reuse': SwapinRule;
  readonly 'swapin-order': AxisValue;
  readonly ksm: KsmRule;
  readonly 'gup-read': AxisValue;
  readonly fork: ForkRule;
  readonly swapoff: SwapoffRule;
  readonly notifier: AxisValue;
  readonly collapse: CollapseRule;
  readonly 'gup-fast': AxisValue;
  readonly 'swap-skip': AxisValue;
  readonly tlb: AxisValue;
  readonly 'unmap-order': AxisValue;
  readonly 'private-order': AxisValue;
  readonly 'reuse-dirty': AxisValue;
  readonly 'pte-same': AxisValue;
  readonly migrate: AxisValue;
  readonly driver: AxisValue;
}

export type AxisId = keyof Axes;

/** One place at which kernels differ. */
export interface Axis<Id extends AxisId = AxisId> {
  readonly id: Id;
  /** What its values answer. */
  readonly says: string;
  readonly values: ReadonlyArray<Axes[Id]>;
}

/** Every axis, in the order in which a variant's name lists them. */
export const AXES: { readonly [Id in AxisId]: Axis<Id> } = {
  cow: { id: 'cow', says: 'do_wp_page on an anon page', values: COW_RULES },
  'swapin-reuse': {
    id: 'swapin-reuse',
    says: 'do_swap_page: writable at once, or read-only',
    values: SWAPIN_RULES,
  },
  'swapin-order': {
    id: 'swapin-order',
    says: 'do_swap_page: order of mapping and slot',
    values: SWAPIN_ORDERS,
  },
  ksm: { id: 'ksm', says: 'do_wp_page on a KSM page', values: KSM_RULES },
  'gup-read': { id: 'gup-read', says: 'get_user_pages for reading', values: GUP_READS },
  fork: { id: 'fork', says: 'fork and pinned pages', values: FORK_RULES },
  swapoff: { id: 'swapoff', says: 'swapoff against users of its slots', values: SWAPOFF_RULES },
  notifier: { id: 'notifier', says: 'how secondary MMUs are told', values: NOTIFIERS },
  collapse: { id: 'collapse', says: 'khugepaged and extra references', values: COLLAPSE_RULES },
  'gup-fast': { id: 'gup-fast', says: 'GUP-fast against page tables that go', values: GUP_FAST },
  'swap-skip': { id: 'swap-skip', says: 'swap-in past the swap cache', values: SWAP_SKIPS },
  tlb: { id: 'tlb', says: 'when stale translations are flushed', values: TLB_RULES },
  'unmap-order': { id: 'unmap-order', says: 'unmap: order of slot and mapping', values: UNMAP_ORDERS },
  'private-order': {
    id: 'private-order',
    says: 'swap cache: order in which private and the flag are seen',
    values: PRIVATE_ORDERS,
  },
  'reuse-dirty': {
    id: 'reuse-dirty',
    says: 'a page taken out of the swap cache is dirty',
    values: REUSE_DIRTY,
  },
  'pte-same': { id: 'pte-same', says: 'the PTE is looked at again', values: PTE_SAME },
  migrate: { id: 'migrate', says: 'migration: what comes before the copy', values: MIGRATE_RULES },
  driver: { id: 'driver', says: 'what drivers of secondary MMUs do', values: DRIVERS },
};

export const AXIS_IDS = Object.keys(AXES) as readonly AxisId[];

/** The value of an axis by its name, or undefined. */
export function axisValue<Id extends AxisId>(axis: Id, id: string): Axes[Id] | undefined {
  return AXES[axis].values.find((value) => value.id === id);
}
