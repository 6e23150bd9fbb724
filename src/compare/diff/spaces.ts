/**
 * Address spaces without addresses: a mapping is the n-th mmap of a task, and a page is its offset in it. Where nobody
 * was seen to make a mapping (image, heap, stack, what the loader maps before the trace begins) pages lie in areas,
 * which the kernel places at random, each as a whole.
 */

const PAGE = 4096;
/** Pages further apart than this lie in different areas: image, heap, libraries and stack are placed far from each other. */
const AREA_GAP_PAGES = (16 * 1024 * 1024) / PAGE;

/** Areas of one program's address space: what is kept of its pages until the next exec. */
export class Layout {
  /** First and last page of each area, ascending. */
  readonly #areas: Array<[first: number, last: number]> = [];

  /** Takes note of a page, by its number. */
  note(page: number): void {
    const areas = this.#areas;
    let at = areas.findIndex(([, last]) => page <= last + AREA_GAP_PAGES);
    if (at < 0 || page < areas[at]![0] - AREA_GAP_PAGES) {
      areas.splice(at < 0 ? areas.length : at, 0, [page, page]);
      return;
    }
    const area = areas[at]!;
    area[0] = Math.min(area[0], page);
    area[1] = Math.max(area[1], page);
    for (at += 1; at < areas.length && areas[at]![0] <= area[1] + AREA_GAP_PAGES; )
      area[1] = Math.max(area[1], areas.splice(at, 1)[0]![1]);
  }

  /** Which area a noted page lies in, from below, and how far from its first page. */
  find(page: number): { readonly area: number; readonly offset: number } {
    const area = this.#areas.findIndex(([first, last]) => first <= page && page <= last);
    return { area: area + 1, offset: page - this.#areas[area]![0] };
  }
}

/** A mapping that a task was seen to make. */
export interface Region<Maker> {
  readonly maker: Maker;
  /** The how many-th mmap of its maker it is, from 1. */
  readonly ordinal: number;
  /** Bounds in bytes, the end excluded. */
  readonly start: number;
  readonly end: number;
}

/** A page of an address space. */
export interface SpacePage<Maker> {
  /** The mapping that it lies in, if that was seen to be made, and how many pages from its start. */
  readonly region: Region<Maker> | null;
  readonly offset: number;
  readonly layout: Layout;
  /** Its number: address / 4096. */
  readonly page: number;
}

/** The mappings of one address space. */
export class Space<Maker> {
  readonly #layout: Layout;
  readonly #regions: Region<Maker>[];

  constructor(layout: Layout = new Layout(), regions: readonly Region<Maker>[] = []) {
    this.#layout = layout;
    this.#regions = [...regions];
  }

  /** What a child gets at fork. */
  copy(): Space<Maker> {
    return new Space(this.#layout, this.#regions);
  }

  map(region: Region<Maker>): void {
    this.unmap(region.start, region.end);
    this.#regions.push(region);
  }

  /** Forgets the mappings that lie within; what is left of one that is cut keeps its place. */
  unmap(start: number, end: number): void {
    for (let i = this.#regions.length - 1; i >= 0; i--) {
      const region = this.#regions[i]!;
      if (region.start >= start && region.end <= end) this.#regions.splice(i, 1);
    }
  }

  /** A mapping moved as a whole (mremap): it stays the mapping that it is. */
  move(from: number, to: number, length: number): void {
    const at = this.#regions.findIndex(({ start }) => start === from);
    if (at < 0) return;
    const [old] = this.#regions.splice(at, 1);
    this.#regions.push({ ...old!, start: to, end: to + length });
  }

  /** The page of an address, in a form that another run has too. */
  at(va: number): SpacePage<Maker> {
    // Latest first: a mapping over another one hides it.
    const region = this.#regions.findLast(({ start, end }) => start <= va && va < end);
    const page = Math.floor(va / PAGE);
    this.#layout.note(page);
    return {
      region: region ?? null,
      offset: region === undefined ? 0 : page - Math.floor(region.start / PAGE),
      layout: this.#layout,
      page,
    };
  }
}
