import type { CowRule } from '../variant.ts';
import { exclusive } from './exclusive.ts';
import { exclusiveLarge } from './exclusive-large.ts';
import { hugh } from './hugh.ts';
import { ksmreuse } from './ksmreuse.ts';
import { pc } from './pc.ts';
import { refcount } from './refcount.ts';
import { refcountSwap } from './refcount-swap.ts';
import { thp } from './thp.ts';
import { trylock } from './trylock.ts';
import { trylockThenExclusive } from './trylock-then-exclusive.ts';
import { waitlock } from './waitlock.ts';

/** Values of the `cow` axis, oldest first. Adding one: its file, one line here. */
export const COW_RULES: readonly CowRule[] = [
  pc,
  trylock,
  hugh,
  waitlock,
  thp,
  ksmreuse,
  refcount,
  refcountSwap,
  exclusive,
  exclusiveLarge,
  trylockThenExclusive,
];
