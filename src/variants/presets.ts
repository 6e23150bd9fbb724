import { exclusive } from './cow/exclusive.ts';
import { refcount } from './cow/refcount.ts';
import type { Variant } from './variant.ts';

/** Named variants, oldest first. Version labels are defaults only: stable trees backport. */
export const VARIANTS: readonly Variant[] = [
  { id: '5.9', cow: refcount, released: true, rank: 509 },
  { id: '5.11', cow: refcount, released: true, rank: 511 },
  { id: '5.19', cow: exclusive, released: true, rank: 519 },
  { id: '6.1', cow: exclusive, released: true, rank: 601 },
  { id: '6.12', cow: exclusive, released: true, rank: 612 },
];

/** The preset of this name, or undefined. */
export function variantById(id: string): Variant | undefined {
  return VARIANTS.find((variant) => variant.id === id);
}
