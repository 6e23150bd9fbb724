/** What a device's secondary MMU translates an address to. */
export interface Spte {
  readonly dev: number;
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly write: boolean;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
}

/** An invalidation of secondary MMUs that has started and has not ended. */
export interface Invalidation {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  /** enum mmu_notifier_event, NaN not told. */
  readonly event: number;
  /** Key of the task (Tasks.actor). */
  readonly pid: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  /** Seq at which every callback had returned, 0 where that was not told. */
  startedSeq: number;
  /** Seq of the end, 0 while it is open. */
  endSeq: number;
}

/** Open ranges that are kept: on a trace whose ends are not recorded the oldest are given up. */
const RANGES_KEPT = 1024;

interface SecondaryImage {
  readonly sptes: readonly Spte[];
  readonly open: readonly Invalidation[];
  readonly recent: ReadonlyArray<readonly [number, Invalidation]>;
  readonly listening: ReadonlyArray<readonly [number, number]>;
}

function pageOf(va: number): number {
  return Math.floor(va / 4096) * 4096;
}

/** Whether a range holds an address. An end of -1, or none that is known, is the end of the address space. */
export function covers(range: { readonly start: number; readonly end: number }, va: number): boolean {
  return !(va < range.start) && !(va >= range.end && range.end > 0);
}

/** Secondary MMUs: what devices map, which mms they listen to, and the invalidations under way (domain.md 1.9). */
export class Secondary {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly #sptes = new Map<number, Map<number, Spte[]>>();
  /** Oldest first. */
  readonly open: Invalidation[] = [];
  /** The last invalidation that each task started, by its key: it may have ended. */
  readonly recent = new Map<number, Invalidation>();
  /** mms that surely have a notifier, and since when that is known: mm_has_notifiers() guards every call. */
  readonly listening = new Map<number, number>();

  /** A device maps an address. */
  set(spte: Spte): void {
    const va = pageOf(spte.va);
    const pages = this.#sptes.get(spte.mm) ?? new Map<number, Spte[]>();
    this.#sptes.set(spte.mm, pages);
    const others = (pages.get(va) ?? []).filter((other) => other.dev !== spte.dev);
    pages.set(va, [...others, { ...spte, va }]);
  }

  /** A device drops its mapping of an address; returns it. */
  clearOne(dev: number, mm: number, va: number): Spte | undefined {
    const pages = this.#sptes.get(mm);
    const here = pages?.get(pageOf(va));
    const gone = here?.find((spte) => spte.dev === dev);
    if (pages === undefined || here === undefined || gone === undefined) return undefined;
    if (here.length > 1)
      pages.set(
        pageOf(va),
        here.filter((spte) => spte !== gone),
      );
    else pages.delete(pageOf(va));
    if (pages.size === 0) this.#sptes.delete(mm);
    return gone;
  }

  /** Mappings of an address, by any device. */
  at(mm: number, va: number): readonly Spte[] {
    return this.#sptes.get(mm)?.get(pageOf(va)) ?? [];
  }

  /** Mappings within a range. */
  *within(mm: number, start: number, end: number): Generator<Spte> {
    for (const [va, here] of this.#sptes.get(mm) ?? []) if (covers({ start, end }, va)) yield* here;
  }

  /** Every mapping of every device. */
  *all(): Generator<Spte> {
    for (const pages of this.#sptes.values()) for (const here of pages.values()) yield* here;
  }

  /** Whether any device maps anything. */
  get any(): boolean {
    return this.#sptes.size > 0;
  }

  /** An invalidation starts. */
  begin(range: Invalidation): void {
    this.open.push(range);
    if (this.open.length > RANGES_KEPT) this.open.shift();
    this.recent.set(range.pid, range);
    if (!this.listening.has(range.mm)) this.listening.set(range.mm, range.seq);
  }

  /** An invalidation ends; returns the one that started it, by the same task and over the same range. */
  end(pid: number, mm: number, start: number, end: number, seq: number): Invalidation | undefined {
    const at = this.open.findLastIndex(
      (range) => range.mm === mm && range.start === start && range.end === end && range.pid === pid,
    );
    if (at < 0) return undefined;
    const [range] = this.open.splice(at, 1);
    range!.endSeq = seq;
    return range;
  }

  /** Invalidations under way over an address. */
  over(mm: number, va: number): Invalidation[] {
    return this.open.filter((range) => range.mm === mm && covers(range, va));
  }

  /** The mm is gone, or its notifiers are. */
  forgetMm(mm: number): void {
    this.#sptes.delete(mm);
    this.listening.delete(mm);
    for (let i = this.open.length - 1; i >= 0; i--) if (this.open[i]!.mm === mm) this.open.splice(i, 1);
  }

  /** The task is gone. */
  forgetTask(pid: number): void {
    this.recent.delete(pid);
  }

  /** Records were lost: what devices map and which ranges are open is not known any more. */
  degrade(): void {
    this.#sptes.clear();
    this.open.length = 0;
    this.recent.clear();
  }

  clear(): void {
    this.degrade();
    this.listening.clear();
  }

  /** The objects themselves and no copies: write them down before the next event. */
  image(): SecondaryImage {
    return {
      sptes: [...this.all()],
      open: [...this.open],
      recent: [...this.recent],
      listening: [...this.listening],
    };
  }

  /** Takes over the objects of an image that nobody else keeps. */
  restore(image: SecondaryImage): void {
    this.clear();
    for (const spte of image.sptes) this.set(spte);
    this.open.push(...image.open);
    for (const [pid, range] of image.recent) this.recent.set(pid, range);
    for (const [mm, seq] of image.listening) this.listening.set(mm, seq);
  }
}
