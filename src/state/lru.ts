/** Where a page is on its way to or from the LRU lists. */
export type LruPlace = 'batch' | 'list' | 'isolated';

/** What was told last of a page's place. */
export interface LruNote {
  readonly pfn: number;
  readonly place: LruPlace;
  /** CPU of the batch; who isolated it, by task. */
  readonly cpu: number;
  readonly pid: number;
  readonly seq: number;
}

/** LRU batches, lists and isolations as told (domain.md 1.3): a batch and an isolation hold a reference, a list none. */
export class Lru {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly #notes = new Map<number, LruNote>();
  #batched = 0;

  /** Notes where a page is now. */
  note(note: LruNote): void {
    this.forget(note.pfn);
    this.#notes.set(note.pfn, note);
    if (note.place === 'batch') this.#batched++;
  }

  /** Where a page is, if that was told. */
  of(pfn: number): LruNote | undefined {
    return this.#notes.get(pfn);
  }

  /** A CPU's batches were drained: its pages are on their lists. */
  drain(cpu: number, seq: number): void {
    if (this.#batched === 0) return;
    for (const note of [...this.#notes.values()])
      if (note.place === 'batch' && note.cpu === cpu) this.note({ ...note, place: 'list', seq });
  }

  /** The page is gone. */
  forget(pfn: number): void {
    if (this.#notes.get(pfn)?.place === 'batch') this.#batched--;
    this.#notes.delete(pfn);
  }

  degrade(): void {
    this.clear();
  }

  clear(): void {
    this.#notes.clear();
    this.#batched = 0;
  }

  image(): readonly LruNote[] {
    return [...this.#notes.values()];
  }

  restore(image: readonly LruNote[]): void {
    this.clear();
    for (const note of image) this.note(note);
  }
}
