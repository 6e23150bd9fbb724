import type { AnonPage } from '../../variants/page.ts';
import { LRU_BATCH, LRU_ON } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { swapcountOf } from '../predicates.ts';

/**
 * A page as a decision procedure of variants/ sees it at this instant. What the procedure asks for is what the kernel
 * would look at now, so it is what the step's footprint has.
 */
export class PageView implements AnonPage {
  readonly #m: Machine;
  readonly #page: number;
  /** Whether the lock counts as taken by another: not once the task holds it itself. */
  readonly #own: boolean;
  askedLock = false;
  askedLru = false;

  constructor(m: Machine, page: number, own: boolean) {
    this.#m = m;
    this.#page = page;
    this.#own = own;
  }

  get exclusive(): boolean {
    return this.#m.rules.exclusive && this.#m.page(this.#page, 'ae') === 1;
  }
  get ksm(): boolean {
    return this.#m.page(this.#page, 'ksm') === 1;
  }
  get large(): boolean {
    return false;
  }
  get swapcache(): boolean {
    return this.#m.page(this.#page, 'sc') !== 0;
  }
  get batched(): number {
    return this.#m.page(this.#page, 'lru') === LRU_BATCH + this.#m.thread.cpu ? 1 : 0;
  }
  get count(): number {
    return this.#m.page(this.#page, 'ref') - this.batched;
  }
  get onLru(): boolean {
    this.askedLru = true;
    return this.#m.page(this.#page, 'lru') === LRU_ON;
  }
  get mappings(): number {
    return this.#m.page(this.#page, 'map');
  }
  get swapcount(): number {
    return swapcountOf(this.#m, this.#page);
  }
  get locked(): boolean {
    this.askedLock = true;
    return !this.#own && this.#m.page(this.#page, 'lock') !== 0;
  }
  get writeback(): boolean {
    return this.#m.page(this.#page, 'wb') === 1;
  }
  get stableWrites(): boolean {
    return false;
  }
  get swapFrees(): boolean {
    return !this.writeback && this.swapcount === 0;
  }
  get largeMappings(): number {
    return this.mappings;
  }
  get mappedShared(): boolean {
    return this.mappings > 1;
  }
  get unshare(): boolean {
    return false;
  }
}
