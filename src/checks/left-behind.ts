import { access } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';

/** A page whose content was copied elsewhere. */
export interface Left {
  readonly gen: number;
  readonly seq: number;
  /** mm for which it was copied, NaN for every one that mapped it. */
  readonly mm: number;
  readonly newPfn: number;
}

/** Pages that are remembered: those beyond are forgotten, oldest first. */
const LEFT_KEPT = 65536;

/** Pages whose content went elsewhere: a write that still reaches one is lost. */
export class LeftBehind {
  readonly #state: MmState;
  readonly #pages = new Map<number, Left>();

  constructor(state: MmState) {
    this.#state = state;
  }

  #generation(pfn: number): number {
    const row = this.#state.pages.find(pfn);
    return row < 0 ? 0 : this.#state.pages.col.gen[row]!;
  }

  /** Notes that the content of a page was copied. */
  note(pfn: number, mm: number, newPfn: number, seq: number): void {
    this.#pages.delete(pfn);
    this.#pages.set(pfn, { gen: this.#generation(pfn), seq, mm, newPfn });
    if (this.#pages.size <= LEFT_KEPT) return;
    for (const oldest of this.#pages.keys()) {
      this.#pages.delete(oldest);
      return;
    }
  }

  /** The page is in use again as what it was. */
  back(pfn: number): void {
    this.#pages.delete(pfn);
  }

  /** What was left behind and is written by this access, undefined if nothing is. */
  writtenBy(e: Cursor): Left | undefined {
    if (e.args[e.at + access.at.write] !== 1 || this.#pages.size === 0) return undefined;
    const left = this.#pages.get(e.args[e.at + access.at.pfn]!);
    if (left === undefined || left.gen !== this.#generation(e.args[e.at + access.at.pfn]!)) return undefined;
    const mm = e.args[e.at + access.at.mm]!;
    return Number.isNaN(left.mm) || left.mm === mm ? left : undefined;
  }
}
