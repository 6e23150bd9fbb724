import type { Inputs } from '../state/decision.ts';
import { type Ruling, rule } from './variant.ts';

/**
 * An anon page under a read-only PTE as a write fault finds it, at one instant: every answer is known. Decision
 * procedures are written over it as kernels are: they look at what they need, in their order, and no further.
 */
export interface AnonPage {
  readonly exclusive: boolean;
  readonly ksm: boolean;
  readonly large: boolean;
  readonly swapcache: boolean;
  /** References after this CPU's LRU batches were drained. */
  readonly count: number;
  /** References that this CPU's LRU batches hold: a rule that does not drain them sees count + batched. */
  readonly batched: number;
  readonly onLru: boolean;
  /** PTEs that map it. */
  readonly mappings: number;
  /** Swap PTEs that refer to its slot. */
  readonly swapcount: number;
  /** folio_trylock would fail. */
  readonly locked: boolean;
  readonly writeback: boolean;
  /** The device of its slot needs stable pages while they are written. */
  readonly stableWrites: boolean;
  /** try_to_free_swap would succeed: nobody else uses the slot, and it is not being written. */
  readonly swapFrees: boolean;
  /** Mappings of the whole large folio. */
  readonly largeMappings: number;
  /** The large folio is, or may be, mapped by another mm too. */
  readonly mappedShared: boolean;
  readonly unshare: boolean;
}

/** More references than any constant that a rule compares with: all of them are alike to it. */
const MANY = 5;
/** Ways that are followed at most; rules ask far less. */
const PATHS = 4096;

/**
 * Answers from what is known, and guesses the rest: one run of a procedure is one way to fill the gaps. Only what
 * the procedure asks for is guessed, so an input behind a step that decides is never missed.
 */
class Guess implements AnonPage {
  readonly #inputs: Inputs;
  readonly #choices: number[] = [];
  readonly #widths: number[] = [];
  readonly #answers = new Map<string, number>();
  /** Names of the inputs that had to be guessed, in the order in which they were asked for. */
  readonly asked = new Set<string>();
  #at = 0;

  constructor(inputs: Inputs) {
    this.#inputs = inputs;
  }

  /** Begins the next way to fill the gaps; false if there is none. */
  next(): boolean {
    this.#answers.clear();
    this.#at = 0;
    while (this.#choices.length > 0) {
      const last = this.#choices.length - 1;
      if (this.#choices[last]! + 1 < this.#widths[last]!) {
        this.#choices[last]!++;
        return true;
      }
      this.#choices.pop();
      this.#widths.pop();
    }
    return false;
  }

  #guess(name: string, from: readonly number[]): number {
    const before = this.#answers.get(name);
    if (before !== undefined) return before;
    let answer = from[0]!;
    if (from.length > 1) {
      this.asked.add(name);
      if (this.#at === this.#choices.length) {
        this.#choices.push(0);
        this.#widths.push(from.length);
      }
      answer = from[this.#choices[this.#at]!]!;
      this.#at++;
    }
    this.#answers.set(name, answer);
    return answer;
  }

  #truth(name: string, known: boolean | undefined): boolean {
    return known ?? this.#guess(name, [1, 0]) === 1;
  }

  get exclusive(): boolean {
    // AE2: an exclusive page is no KSM page.
    return this.#truth('AnonExclusive', this.#inputs.ksm === true ? false : this.#inputs.exclusive);
  }

  get ksm(): boolean {
    return this.#truth('KSM', this.#inputs.exclusive === true ? false : this.#inputs.ksm);
  }

  get large(): boolean {
    return this.#truth('folio order', this.#inputs.large);
  }

  get swapcache(): boolean {
    const { swapcache, count } = this.#inputs;
    // The cache holds a reference beside that of the mapping.
    const counted = this.#answers.get('refcount') ?? count;
    return this.#truth('swapcache', swapcache ?? (counted < 2 ? false : undefined));
  }

  get locked(): boolean {
    return this.#truth('page lock', this.#inputs.locked);
  }

  get writeback(): boolean {
    // A slot that was freed was not being written.
    return this.#truth('writeback', this.#inputs.swapFreed === true ? false : this.#inputs.writeback);
  }

  get stableWrites(): boolean {
    return this.#truth('stable writes', this.#inputs.stableWrites);
  }

  get unshare(): boolean {
    return this.#inputs.unshare === true;
  }

  get onLru(): boolean {
    // Matters only where something was drained.
    return this.batched === 0 ? true : this.#truth('LRU', this.#inputs.onLru);
  }

  get batched(): number {
    return this.#inputs.batched ?? 0;
  }

  get count(): number {
    const { count, countLow, countHigh, mappings, swapcache } = this.#inputs;
    if (!Number.isNaN(count)) return count;
    // Each mapping and the swap cache hold a reference: taken before, put after.
    const held = (Number.isNaN(mappings) ? 1 : mappings) + (swapcache === true ? 1 : 0);
    const low = Number.isNaN(countLow) ? Math.max(1, held) : countLow;
    const high = Number.isNaN(countHigh) ? Number.POSITIVE_INFINITY : Math.max(low, countHigh);
    const values: number[] = [];
    for (let value = low; value <= Math.min(high, Math.max(low, MANY)); value++) values.push(value);
    if (mappings > MANY && mappings > low && mappings <= high) values.push(mappings);
    return this.#guess('refcount', values);
  }

  get mappings(): number {
    const { mappings, count, countHigh, swapcache } = this.#inputs;
    if (!Number.isNaN(mappings)) return mappings;
    const counted = this.#answers.get('refcount') ?? (Number.isNaN(count) ? countHigh : count);
    const most = Number.isNaN(counted) ? 3 : counted - (swapcache === true ? 1 : 0);
    return this.#guess('mapcount', most <= 1 ? [1] : most === 2 ? [1, 2] : [1, 2, 3]);
  }

  get largeMappings(): number {
    const most = this.count + this.batched;
    return this.#inputs.largeMappings ?? this.#guess('large mapcount', [...new Set([1, 2, most - 1, most])]);
  }

  get mappedShared(): boolean {
    return this.#truth('mapped shared', this.#inputs.mappedShared);
  }

  get swapcount(): number {
    const { swapcount, swapFreed, swapcache } = this.#inputs;
    if (!Number.isNaN(swapcount)) return swapcount;
    return this.#guess('swapcount', swapFreed === true || swapcache === false ? [0] : [0, 1, 2]);
  }

  get swapFrees(): boolean {
    const { swapFreed, writeback, swapcount } = this.#inputs;
    const told =
      swapFreed ??
      (writeback === true || swapcount > 0
        ? false
        : writeback === false && swapcount === 0
          ? true
          : undefined);
    return this.#truth('folio_free_swap', told);
  }
}

/** Every ruling that some way to fill the gaps gives, each (outcome, reason) once, and what had to be guessed. */
export function rulings(
  inputs: Inputs,
  procedure: (page: AnonPage) => Ruling,
): { readonly found: readonly Ruling[]; readonly asked: readonly string[] } {
  const guess = new Guess(inputs);
  const found: Ruling[] = [];
  let left = PATHS;
  do {
    const ruling = procedure(guess);
    if (!found.some((other) => other.outcome === ruling.outcome && other.reason === ruling.reason))
      found.push(ruling);
  } while (guess.next() && --left > 0);
  return { found, asked: [...guess.asked] };
}

/** The one outcome that every way to fill the gaps gives, or unknown. */
export function weigh(inputs: Inputs, procedure: (page: AnonPage) => Ruling): Ruling {
  const { found, asked } = rulings(inputs, procedure);
  const first = found[0]!;
  if (found.some((other) => other.outcome !== first.outcome))
    return { outcome: 'unknown', reason: 'unknown', missing: asked };
  return named(inputs, found.length === 1 ? first : { ...first, reason: common(found) });
}

/** One word for several reasons of one outcome: the first that the procedure comes to. */
function common(found: readonly Ruling[]): string {
  return found[0]!.reason;
}

/** A copy for references that other mappings hold is one of a shared page. */
function named(inputs: Inputs, ruling: Ruling): Ruling {
  if (ruling.outcome !== 'copy' || !(inputs.mappings > 1)) return ruling;
  return ruling.reason === 'references' || ruling.reason === 'swap in use'
    ? { ...ruling, reason: 'shared' }
    : ruling;
}

/** A page at an instant at which every input is known. */
export function knownPage(page: Omit<AnonPage, 'swapFrees'>): AnonPage {
  return { ...page, swapFrees: !page.writeback && page.swapcount === 0 };
}

/** Reuse and copy, as procedures say them. */
export const reuse = (reason: string): Ruling => rule('reuse', reason);
export const copy = (reason: string): Ruling => rule('copy', reason);
/** The PTL is dropped, the lock waited for, and the fault tried again if the PTE has changed. */
export const WAIT: Ruling = rule('wait', 'lock');
