import type { EventBatch } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import { refAdd } from '../events/index.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { Cursor } from './cursor.ts';
import type { Decision, WpBracket } from './decision.ts';
import { Fidelity, type FidelityImage } from './fidelity.ts';
import { Holds } from './holds.ts';
import { Locks } from './locks.ts';
import { Lru } from './lru.ts';
import { Machines } from './machines.ts';
import { Pages } from './pages.ts';
import { PageTables, type PteImage } from './ptes.ts';
import { Secondary } from './secondary.ts';
import { Swap } from './swap.ts';
import { type Task, Tasks, type TasksImage } from './tasks.ts';
import { Tlb } from './tlb.ts';

/** What one kind of event does to the state. `task` is the actor. */
export type Handler = (s: MmState, e: Cursor, task: Task) => void;

/** A handler and the kind it is for. */
export interface Fold {
  readonly kind: EventKind;
  readonly run: Handler;
}

/** Declares what a kind of event does to the state. */
export function fold(kind: EventKind, run: Handler): Fold {
  return { kind, run };
}

/** How far the trace tells what integrity checks need (domain.md 1.0, "page_ref-complete"). */
export interface Sources {
  refSet: boolean;
  alloc: boolean;
  free: boolean;
  /** A page was allocated whose refcount was not set in the trace: page_ref is filtered. */
  filtered: boolean;
  /** Probes on rmap tell which page gains and loses mappings. */
  rmap: boolean;
  /** They tell it of file pages too: the first one that gained a mapping was seen. */
  fileRmap: boolean;
  /** Mappings are told with whether they are exclusive: the kernel has PageAnonExclusive (RMAP_EXCLUSIVE, 14f9135d5470). */
  rmapExclusive: boolean;
  /** A process was forked and no probe told which PTEs its child got: mappings come unseen. */
  untoldForks: boolean;
  /** Kinds of event that occurred, by code. */
  readonly seen: Uint8Array;
}

/** Records that a trace does not have: how many, of which CPU, after which event. NaN: not told. */
export interface Loss {
  readonly cpu: number;
  readonly count: number;
  readonly afterSeq: number;
}

const LOSSES_KEPT = 10_000;

/**
 * Contradictions that a trace without loss may have, one in so many events: two tasks' records of one page that came
 * in another order than they happened (one in 972,162 events is the most that a real one has).
 */
const EVENTS_A_CONTRADICTION = 100_000;

const FIDELITIES = ['refcount', 'mapcount', 'largeMapcount', 'swapcount', 'swapcache', 'exclusive'] as const;

/** What a snapshot of the state holds: one member per slice. */
export interface StateImage {
  readonly scalars: Readonly<Record<string, number | boolean>>;
  readonly sources: Sources;
  readonly cpus: readonly number[];
  readonly losses: readonly Loss[];
  readonly notJudged: ReadonlyMap<string, number>;
  readonly tasks: TasksImage;
  readonly open: readonly WpBracket[];
  readonly pages: ReturnType<Pages['image']>;
  readonly swap: ReturnType<Swap['image']>;
  readonly ptes: PteImage;
  readonly holds: ReturnType<Holds['image']>;
  readonly machines: ReturnType<Machines['image']>;
  readonly secondary: ReturnType<Secondary['image']>;
  readonly tlb: ReturnType<Tlb['image']>;
  readonly locks: ReturnType<Locks['image']>;
  readonly lru: ReturnType<Lru['image']>;
  readonly fidelity: readonly FidelityImage[];
}

/** The MM as far as events 1..seq tell. A fold: the same events give the same state, whatever the batches. */
export class MmState {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 3;
  seq = 0;
  ns = Number.NaN;
  /** Seq after which nothing is known of what was before: start, segment, or lost records. */
  horizon = 0;
  /** Records were lost somewhere in this segment. */
  lossy = false;
  /** The segment's buffer was overwritten before some CPUs' first records. */
  overwritten = false;
  /** Some CPU's first surviving record is still to come: what that CPU does meanwhile is not in the trace. */
  blind = false;
  cpusExpected = 0;
  /** CPUs that have had a record in this segment. */
  readonly cpus = new Set<number>();
  /** Losses so far, the first ten thousand. */
  readonly losses: Loss[] = [];
  readonly tasks = new Tasks();
  readonly pages = new Pages();
  readonly swap = new Swap();
  readonly ptes: PageTables = new PageTables(this.pages, this.swap);
  readonly holds: Holds = new Holds(this.pages);
  readonly machines = new Machines();
  readonly secondary = new Secondary();
  readonly tlb = new Tlb();
  readonly locks = new Locks();
  readonly lru = new Lru();
  readonly open: WpBracket[] = [];
  readonly sources: Sources = {
    refSet: false,
    alloc: false,
    free: false,
    filtered: false,
    rmap: false,
    fileRmap: false,
    rmapExclusive: false,
    untoldForks: false,
    seen: new Uint8Array(EVENT_KINDS.length),
  };
  readonly refcount = new Fidelity();
  readonly mapcount = new Fidelity();
  /** PTEs of single pages of large folios. */
  readonly largeMapcount = new Fidelity();
  readonly swapcount = new Fidelity();
  readonly swapcache = new Fidelity();
  readonly exclusive = new Fidelity();
  /** The decision that the event just folded completed, or null. */
  decision: Decision | null = null;
  /** Page faults that a task began while its last one had not ended in the trace. */
  unended = 0;
  /** Write faults seen that do_wp_page does not decide, by kind. */
  readonly notJudged = new Map<string, number>();

  /** Code of ref.add, to ask whether page_ref is recorded at all. */
  readonly refAddCode: number = refAdd.code;

  readonly #handlers: ReadonlyArray<Handler | undefined>;

  constructor(folds: readonly Fold[]) {
    const handlers: Array<Handler | undefined> = new Array(EVENT_KINDS.length).fill(undefined);
    for (const { kind, run } of folds) {
      if (handlers[kind.code] !== undefined) throw new Error(`two folds of ${kind.name}`);
      handlers[kind.code] = run;
    }
    this.#handlers = handlers;
  }

  /** Folds one event. */
  apply(e: Cursor): void {
    this.seq = e.seq;
    this.ns = e.ns;
    this.decision = null;
    this.sources.seen[e.kind] = 1;
    // Overwrite mode loses what was before the first surviving record of each CPU, and CPUs start at different times.
    if (this.overwritten && e.cpu >= 0 && !this.cpus.has(e.cpu)) {
      this.cpus.add(e.cpu);
      this.lose(e.seq);
      this.blind = this.cpus.size < this.cpusExpected;
    }
    const pid = Tasks.actor(e);
    const task = this.tasks.get(pid, e.seq);
    if (task.lastRecord !== e.record) {
      task.prevSeq = task.lastSeq;
      task.unlocking = Number.NaN;
    }
    if (this.swap.sections.size > 0) this.swap.sections.see(e.kind, pid, e.seq);
    const run = this.#handlers[e.kind];
    if (run !== undefined) run(this, e, task);
    task.lastSeq = e.seq;
    task.lastNs = e.ns;
    task.lastRecord = e.record;
  }

  /** Folds all events of a batch. */
  applyAll(batch: EventBatch): void {
    const e = new Cursor();
    for (let i = 0; i < batch.count; i++) {
      e.seek(batch, i);
      this.apply(e);
    }
  }

  /** Whether the number of mappings of a page can be integrated: every way to gain or lose one is told. */
  get tellsMappings(): boolean {
    return this.sources.rmap && !this.sources.untoldForks && !this.blind;
  }

  /**
   * Whether the trace's own values contradict each other so often that records must be missing which nothing tells
   * of: counts and flags against what was printed of them, functions entered and never left. A capture of some tasks,
   * CPUs or values only is one: what the others do to a page is read by those that are recorded.
   */
  get contradicted(): boolean {
    const { refcount, mapcount, swapcount, exclusive } = this;
    const found = [refcount, mapcount, swapcount, exclusive].reduce(
      (sum, { contradictions }) => sum + contradictions,
      this.unended,
    );
    return found > 1 + this.seq / EVENTS_A_CONTRADICTION;
  }

  /** Counts a write fault that is outside do_wp_page. */
  countNotJudged(kind: string): void {
    this.notJudged.set(kind, (this.notJudged.get(kind) ?? 0) + 1);
  }

  /** Notes a loss. */
  noteLoss(loss: Loss): void {
    if (this.losses.length < LOSSES_KEPT) this.losses.push(loss);
  }

  /** What a snapshot of each slice depends on: one of another version is not to be trusted, but made anew. */
  versions(): Readonly<Record<string, string>> {
    const { pages, swap, ptes, holds } = this;
    return {
      state: `${MmState.version} ${Object.keys(this.#scalars()).join(',')}`,
      kinds: EVENT_KINDS.map((kind) => kind.name).join(','),
      tasks: `${Tasks.version}`,
      pages: `${Pages.version} ${pages.table.shape}`,
      swap: `${Swap.version} ${swap.table.shape}`,
      ptes: `${PageTables.version} ${[ptes.mms, ptes.tables, ptes.regions].map((table) => table.shape).join(';')}`,
      holds: `${Holds.version} ${holds.table.shape}`,
      machines: `${Machines.version}`,
      secondary: `${Secondary.version}`,
      tlb: `${Tlb.version}`,
      locks: `${Locks.version}`,
      lru: `${Lru.version}`,
      fidelity: `${Fidelity.version}`,
    };
  }

  /** Numbers and switches of the state itself. */
  #scalars(): Record<string, number | boolean> {
    const { refAddCode: _, ...own } = this;
    return Object.fromEntries(
      Object.entries(own).filter(([, value]) => typeof value === 'number' || typeof value === 'boolean'),
    ) as Record<string, number | boolean>;
  }

  /**
   * Everything that the events so far have made, for a snapshot. Open brackets are the objects themselves: write
   * them down before the next event.
   */
  image(): StateImage {
    return {
      scalars: this.#scalars(),
      sources: { ...this.sources, seen: this.sources.seen.slice() },
      cpus: [...this.cpus],
      losses: [...this.losses],
      notJudged: new Map(this.notJudged),
      tasks: this.tasks.image(),
      open: [...this.open],
      pages: this.pages.image(),
      swap: this.swap.image(),
      ptes: this.ptes.image(),
      holds: this.holds.image(),
      machines: this.machines.image(),
      secondary: this.secondary.image(),
      tlb: this.tlb.image(),
      locks: this.locks.image(),
      lru: this.lru.image(),
      fidelity: FIDELITIES.map((name) => this[name].image()),
    };
  }

  /** Becomes what an image tells. The image's objects are taken over: nobody else may keep them. */
  restore(image: StateImage): void {
    Object.assign(this, image.scalars);
    this.decision = null;
    const { seen, ...sources } = image.sources;
    Object.assign(this.sources, sources);
    this.sources.seen.set(seen);
    this.cpus.clear();
    for (const cpu of image.cpus) this.cpus.add(cpu);
    this.losses.splice(0, this.losses.length, ...image.losses);
    this.notJudged.clear();
    for (const [kind, count] of image.notJudged) this.notJudged.set(kind, count);
    this.tasks.restore(image.tasks);
    this.open.splice(0, this.open.length, ...image.open);
    this.pages.restore(image.pages);
    this.swap.restore(image.swap);
    this.ptes.restore(image.ptes);
    this.holds.restore(image.holds);
    this.machines.restore(image.machines);
    this.secondary.restore(image.secondary);
    this.tlb.restore(image.tlb);
    this.locks.restore(image.locks);
    this.lru.restore(image.lru);
    for (const [i, name] of FIDELITIES.entries()) this[name].restore(image.fidelity[i]!);
  }

  /** Nothing that was known holds: a segment begins. */
  reset(seq: number): void {
    this.horizon = seq;
    this.lossy = false;
    this.overwritten = false;
    this.blind = false;
    this.cpus.clear();
    this.tasks.clear();
    this.pages.clear();
    this.swap.clear();
    this.ptes.clear();
    this.holds.clear();
    this.machines.clear();
    this.secondary.clear();
    this.tlb.clear();
    this.locks.clear();
    this.lru.clear();
    this.open.length = 0;
  }

  /** Records of some CPU were lost: what they may have changed is unknown. */
  lose(seq: number): void {
    this.horizon = seq;
    this.lossy = true;
    this.tasks.forgetBrackets();
    this.open.length = 0;
    this.ptes.degrade(seq);
    this.pages.degrade();
    for (let row = 0; row < this.pages.table.bound; row++)
      if (this.pages.table.alive(row)) this.pages.col.watched[row] = 0;
    this.swap.degrade();
    this.holds.degrade();
    this.machines.degrade();
    this.secondary.degrade();
    this.tlb.degrade();
    this.locks.degrade();
    this.lru.degrade();
  }
}
