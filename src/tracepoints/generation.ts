import { PG_SWAPBACKED, PG_UNNAMED, PG_UPTODATE } from '../core/pageflags.ts';
import { FOLL_GET, FOLL_PIN } from '../events/flags.ts';
import {
  FAULT_FLAG_TABLES,
  type FlagTable,
  GUP_FLAG_TABLES,
  MIGRATION_TYPES,
  NEWEST_KNOWN,
  PAGE_FLAG_TABLES,
  parseRelease,
  RAW_MAPCOUNT_SINCE,
  type Release,
  releaseText,
  SAVED_DIRTY_SINCE,
  type Signature,
  UNDEFINED_BIT,
} from './kernels.ts';
import { type PteRules, ROLE_MIGRATION_READ, ROLE_UNKNOWN } from './pte.ts';

/** Words that must agree before the trace's own numbers choose or refute a table. */
const ENOUGH_WORDS = 8;
/** Share of words that may contradict a right table: samples are racy, and pages change hands. */
const TOLERANCE = 0.1;

/** Whether a word of a mapped anonymous page fits a table: such a page is up to date and swap-backed. */
function fitsAnonPage(table: FlagTable, word: number): boolean {
  const both = (1 << table.bits.indexOf(PG_UPTODATE)) | (1 << table.bits.indexOf(PG_SWAPBACKED));
  return (word & both) === both;
}

/** Whether the flags of a grab fit a table: one of get and pin, and no bit that the kernel does not define. */
function fitsGrab(table: FlagTable, word: number): boolean {
  for (let rest = word; rest !== 0; rest &= rest - 1) {
    if (table.bits[31 - Math.clz32(rest & -rest)] === UNDEFINED_BIT) return false;
  }
  return ((word >>> table.bits.indexOf(FOLL_GET)) & 1) + ((word >>> table.bits.indexOf(FOLL_PIN)) & 1) === 1;
}

/** How well the words of a trace fit each table of one set of flags. */
class Fit {
  readonly tables: readonly FlagTable[];
  readonly #fits: (table: FlagTable, word: number) => boolean;
  readonly #misses: number[];
  #words = 0;

  constructor(tables: readonly FlagTable[], fits: (table: FlagTable, word: number) => boolean) {
    this.tables = tables;
    this.#fits = fits;
    this.#misses = tables.map(() => 0);
  }

  word(word: number): void {
    this.#words++;
    for (const [i, table] of this.tables.entries()) if (!this.#fits(table, word)) this.#misses[i]!++;
  }

  /** Whether the last word may change which tables are refuted. */
  get due(): boolean {
    return this.#words > 0 && this.#words % ENOUGH_WORDS === 0;
  }

  get enough(): boolean {
    return this.#words >= ENOUGH_WORDS;
  }

  /** Whether the trace's words speak against the table. */
  refutes(table: FlagTable): boolean {
    return this.enough && this.#misses[this.tables.indexOf(table)]! > this.#words * TOLERANCE;
  }
}

/** How the numbers of one set of flags fared. */
export interface FlagUse {
  /** Names of the tables in use; none: the numbers are unknown. */
  readonly tables: readonly string[];
  /** Numbers that no table was chosen for. */
  readonly untranslated: number;
}

/** Numbers translated by one table, or by what several possible tables agree on. */
class Translation {
  /** Canonical flag by bit number; null while no table is chosen. */
  #bits: Int32Array | null = null;
  /** Names of the tables in use, for the facts. */
  tables: readonly string[] = [];
  /** Numbers that could not be translated. */
  untranslated = 0;

  choose(tables: readonly FlagTable[]): void {
    this.tables = tables.map((table) => table.name);
    if (tables.length === 0) {
      this.#bits = null;
      return;
    }
    const bits = new Int32Array(32);
    for (let bit = 0; bit < 32; bit++) {
      const flags = new Set(tables.map((table) => Math.max(0, table.bits[bit] ?? 0)));
      bits[bit] = flags.size === 1 ? [...flags][0]! : PG_UNNAMED;
    }
    this.#bits = bits;
  }

  get known(): boolean {
    return this.#bits !== null;
  }

  of(word: number): number {
    const bits = this.#bits;
    if (bits === null) {
      this.untranslated++;
      return Number.NaN;
    }
    let flags = 0;
    let rest = word;
    while (rest !== 0) {
      const bit = 31 - Math.clz32(rest & -rest);
      flags |= bits[bit]!;
      rest &= rest - 1;
    }
    return flags;
  }
}

/**
 * The kernel's generation, as far as it is given or proven by the trace: an interval of releases. Numeric
 * flags are translated by the tables that the interval and the trace's own words leave; if they leave none,
 * the numbers stay unknown.
 */
export class KernelFacts {
  from: Release = 0;
  to: Release = NEWEST_KNOWN;
  /** What the release is known from, in the order learned. */
  readonly reasons: string[] = [];
  /** Proofs that exclude each other: nothing is inferred any more. */
  contradiction: string | null = null;
  /** The release as it was stated, in full. */
  readonly given: string | null;
  /** Words of mapped anonymous pages. */
  readonly pageFlagFit = new Fit(PAGE_FLAG_TABLES, fitsAnonPage);
  /** Flags of attempts to take a GUP reference. */
  readonly gupFlagFit = new Fit(GUP_FLAG_TABLES, fitsGrab);
  readonly #pageFlags = new Translation();
  readonly #gupFlags = new Translation();
  readonly #faultFlags = new Translation();
  readonly #migrationTypes = new Set<number>();
  readonly pte: { x86: boolean; savedDirty: boolean; roles: Uint8Array } & PteRules = {
    x86: false,
    savedDirty: true,
    roles: new Uint8Array(32),
    unread: 0,
  };
  #proven = false;
  /** The release was given: the trace may refute tables, not the release. */
  #fixed = false;
  #mapcountIsRaw: boolean | null = null;
  /** mapcount samples of page_ref that could not be understood. */
  unknownMapcounts = 0;

  /** `how` says who states the release: the user, or the trace's header. */
  constructor(given?: string, how = 'given') {
    const release = given === undefined ? Number.NaN : parseRelease(given);
    this.given = given ?? null;
    if (!Number.isNaN(release)) {
      this.from = release;
      this.to = release;
      this.reasons.push(`${how}: ${given}`);
      this.#fixed = true;
    }
    this.settle();
  }

  /** Takes a bound that the trace proves. */
  prove(what: string, signature: Signature): void {
    if (this.#fixed) return;
    const from = Math.max(this.from, signature.from ?? 0);
    const to = Math.min(this.to, signature.to ?? Number.POSITIVE_INFINITY);
    if (from === this.from && to === this.to) return;
    this.#proven = true;
    this.reasons.push(`${what}: ${signature.source}`);
    if (from > to) {
      this.contradiction ??= `${what} contradicts what was inferred before`;
      return;
    }
    this.from = from;
    this.to = to;
  }

  /** A swap type that a record says is one of a migration entry. */
  migrationType(type: number): void {
    if (this.#migrationTypes.has(type)) return;
    this.#migrationTypes.add(type);
    this.#settleRoles();
  }

  /** page_ref printed a mapcount of -1, which page_mapcount() never returns. */
  sawRawMapcount(): void {
    this.prove('mapcount=-1 in page_ref', {
      from: RAW_MAPCOUNT_SINCE,
      source: 'include/trace/events/page_ref.h prints the raw _mapcount since 6.10',
    });
  }

  /** Whether something was proven since the last settling. */
  get unsettled(): boolean {
    return this.#proven || this.pageFlagFit.due || this.gupFlagFit.due;
  }

  /** Draws the conclusions from what has been proven so far. */
  settle(): void {
    this.#proven = false;
    this.#pageFlags.choose(this.#possible(PAGE_FLAG_TABLES, this.pageFlagFit));
    this.#gupFlags.choose(this.#possible(GUP_FLAG_TABLES, this.gupFlagFit));
    this.#faultFlags.choose(this.#possible(FAULT_FLAG_TABLES, null));
    this.#mapcountIsRaw =
      this.contradiction !== null || (this.from < RAW_MAPCOUNT_SINCE && this.to >= RAW_MAPCOUNT_SINCE)
        ? null
        : this.from >= RAW_MAPCOUNT_SINCE;
    this.pte.savedDirty = this.to >= SAVED_DIRTY_SINCE;
    this.#settleRoles();
  }

  /**
   * The tables that may be meant: those that overlap the interval and that the words do not refute. They are
   * used if the interval is covered by tables, or if the words alone leave exactly one generation.
   */
  #possible(tables: readonly FlagTable[], fit: Fit | null): readonly FlagTable[] {
    if (this.contradiction !== null) return [];
    const inside = tables.filter((table) => table.from <= this.to && table.to >= this.from);
    const left = inside.filter((table) => fit === null || !fit.refutes(table));
    const covered = Math.min(...inside.map((table) => table.from)) <= this.from && this.#gapless(inside);
    if (covered) return left;
    // The interval also allows kernels that no table describes: only the trace's own words can decide.
    return fit?.enough === true && left.length > 0 && left.length < tables.length ? left : [];
  }

  #gapless(tables: readonly FlagTable[]): boolean {
    let reached = this.from;
    for (const table of [...tables].sort((a, b) => a.from - b.from)) {
      if (table.from > reached) return false;
      reached = Math.max(reached, table.to + 1);
    }
    return reached > this.to;
  }

  #settleRoles(): void {
    const roles = this.pte.roles;
    roles.fill(ROLE_UNKNOWN);
    if (this.contradiction !== null) return;
    const seen = [...this.#migrationTypes];
    const left = MIGRATION_TYPES.filter(
      ({ from, to, first }) =>
        from <= this.to && to >= this.from && seen.every((type) => type >= first && type < first + 3),
    );
    // Without a migration in the trace the configuration is not known, and with it the types are not.
    if (seen.length === 0 || left.length === 0) return;
    for (let type = 0; type < roles.length; type++) {
      const possible = new Set(
        left.map(({ first }) => (type >= first && type < first + 3 ? type - first : -1)),
      );
      const role = possible.size === 1 ? [...possible][0]! : -1;
      roles[type] = role < 0 ? ROLE_UNKNOWN : ROLE_MIGRATION_READ + role;
    }
  }

  pageFlags(word: number): number {
    return this.#pageFlags.of(word & 0x1fffff);
  }

  gupFlags(word: number): number {
    return this.#gupFlags.of(word);
  }

  faultFlags(word: number): number {
    return this.#faultFlags.of(word);
  }

  /** A page_ref mapcount as the raw _mapcount. */
  rawMapcount(printed: number): number {
    if (this.#mapcountIsRaw === null) {
      this.unknownMapcounts++;
      return Number.NaN;
    }
    return this.#mapcountIsRaw ? printed : printed - 1;
  }

  /** The release as far as it is known: `6.1`, `6.12..7.1`, `6.12+` (not known from above), or null. */
  get text(): string | null {
    if (this.contradiction !== null || this.reasons.length === 0) return null;
    if (this.given !== null && this.from === this.to) return this.given;
    if (this.from === this.to) return releaseText(this.from);
    if (this.from === 0) return `up to ${releaseText(this.to)}`;
    return this.to === NEWEST_KNOWN
      ? `${releaseText(this.from)}+`
      : `${releaseText(this.from)}..${releaseText(this.to)}`;
  }

  /** Tables in use and numbers that no table was chosen for. */
  get flags(): Readonly<Record<'page' | 'gup' | 'fault', FlagUse>> {
    const use = ({ tables, untranslated }: Translation): FlagUse => ({ tables, untranslated });
    return { page: use(this.#pageFlags), gup: use(this.#gupFlags), fault: use(this.#faultFlags) };
  }

  /** Whether every set of flags has its table. */
  get complete(): boolean {
    return this.#pageFlags.known && this.#gupFlags.known && this.#faultFlags.known;
  }
}
