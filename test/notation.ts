/**
 * Event sequences as text, for tests: one line an event,
 *
 *     cpu pid kind arg=value ...        # a comment
 *     + 5ms                             # time goes on; else 10 us pass between events
 *
 * Behind the pid, `/irq` says that an interrupt acts, `/2` that the preempt depth is 2 (else 0).
 * An argument that is left out is not known. Values by the type of the argument:
 * - pfn: a name (P, Q, ...), `-` for "none", or a number
 * - mm: a name; ptr: the name of a page-table page, with an index behind a colon (`T`, `T:3`), an address (`@a+3`)
 *   or a number
 * - va: a name of an address at the start of a 2 MiB region, with pages added (`a`, `a+3`)
 * - pte: `none`, `P:r` or `P:w` (a present one, read-only or writable), `P:m` (a migration entry), `swap:7`; with `u`
 *   behind it uffd-wp, with `x` exclusive, with `h` huge (`P:wu`, `swap:7:x`)
 * - entry: `swap:7`; flags and codes: words (below), `|` between flags; bool: yes or no
 * - anything else: a number
 */

import type { Coverage, Divergence } from '../src/checks/finding.ts';
import { CHECKS } from '../src/checks/index.ts';
import { Runner } from '../src/checks/runner.ts';
import type { WriteFault } from '../src/checks/write-fault.ts';
import { PAGE_FLAG_NAMES } from '../src/core/pageflags.ts';
import {
  entryOf,
  PTE_EXCLUSIVE,
  PTE_HUGE,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_USER,
  PTE_WRITE,
} from '../src/core/pte.ts';
import { CTX_HARDIRQ, CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../src/core/records.ts';
import { ACCESS_CPU, ACCESS_DEVICE } from '../src/events/access.ts';
import { type EventBatch, EventBatchBuilder } from '../src/events/batch.ts';
import type { EventKind } from '../src/events/declare.ts';
import * as flags from '../src/events/flags.ts';
import * as gup from '../src/events/gup.ts';
import * as reclaim from '../src/events/reclaim.ts';
import { eventKind } from '../src/events/registry.ts';
import { SYSCALLS } from '../src/events/task.ts';
import { FOLDS } from '../src/state/folds/index.ts';
import { MmState } from '../src/state/state.ts';
import { variantById } from '../src/variants/presets.ts';
import type { Variant } from '../src/variants/variant.ts';

type Words = Readonly<Record<string, number>>;

const PAGE_FLAGS: Words = {
  ...Object.fromEntries(PAGE_FLAG_NAMES),
  none: 0,
  ae: Object.fromEntries(PAGE_FLAG_NAMES)['owner_2']!,
  swapcache: Object.fromEntries(PAGE_FLAG_NAMES)['owner_priv_1']!,
};
const GUP_FLAGS: Words = {
  write: flags.FOLL_WRITE,
  get: flags.FOLL_GET,
  pin: flags.FOLL_PIN,
  force: flags.FOLL_FORCE,
  longterm: flags.FOLL_LONGTERM,
  remote: flags.FOLL_REMOTE,
};
const FAULT_FLAGS: Words = {
  write: flags.FAULT_WRITE,
  user: flags.FAULT_USER,
  remote: flags.FAULT_REMOTE,
  unshare: flags.FAULT_UNSHARE,
};
/** Words of the codes, by kind or by name of the argument. */
const CODES: Readonly<Record<string, Words>> = {
  mapping: {
    none: flags.MAPPING_NONE,
    file: flags.MAPPING_FILE,
    anon: flags.MAPPING_ANON,
    ksm: flags.MAPPING_KSM,
  },
  'gup.begin': {
    pin: gup.GUP_PIN,
    'pin-fast': gup.GUP_PIN_FAST,
    'get-fast': gup.GUP_GET_FAST,
    locked: gup.GUP_LOCKED,
  },
  'gup.end': {
    pin: gup.GUP_PIN,
    'pin-fast': gup.GUP_PIN_FAST,
    'get-fast': gup.GUP_GET_FAST,
    locked: gup.GUP_LOCKED,
  },
  agent: { cpu: ACCESS_CPU, device: ACCESS_DEVICE },
  call: Object.fromEntries(SYSCALLS.map((name, code) => [name, code])),
  'reclaim.begin': {
    direct: reclaim.RECLAIM_DIRECT,
    kswapd: reclaim.RECLAIM_KSWAPD,
    pages: reclaim.RECLAIM_PAGES,
    list: reclaim.RECLAIM_LIST,
  },
};

/** What names stand for. Another world gives other numbers to the same names: what is said must not depend on them. */
export interface World {
  readonly pfn: number;
  readonly mm: number;
  readonly va: number;
  readonly table: number;
  readonly pid: number;
  readonly ns: number;
}
export const WORLD: World = {
  pfn: 0x1000,
  mm: -0x777f00000000,
  va: 0x7f0000000000,
  table: -0x777e00000000,
  pid: 0,
  ns: 0,
};

class Names {
  readonly #known = new Map<string, number>();
  readonly #base: number;
  readonly #step: number;

  constructor(base: number, step: number) {
    this.#base = base;
    this.#step = step;
  }

  number(name: string): number {
    const found = this.#known.get(name) ?? this.#base + this.#known.size * this.#step;
    this.#known.set(name, found);
    return found;
  }
}

/** Reads the notation. Throws on what it does not know: a slip of the pen must not make a test pass. */
class Reader {
  readonly out = new EventBatchBuilder();
  readonly #pfns: Names;
  readonly #mms: Names;
  readonly #regions: Names;
  readonly #tables: Names;
  readonly #pid: number;
  #ns: number;
  #record = 0;

  constructor(world: World) {
    this.#pfns = new Names(world.pfn, 7);
    this.#mms = new Names(world.mm, 1280);
    this.#regions = new Names(world.va, 0x200000);
    this.#tables = new Names(world.table, 4096);
    this.#pid = world.pid;
    this.#ns = world.ns;
  }

  line(text: string): void {
    const [head, ...rest] = text
      .replace(/#.*$/, '')
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    if (head === undefined) return;
    if (head === '+') {
      this.#ns += duration(rest[0]!);
      return;
    }
    const [pid, name, ...args] = rest;
    const kind = eventKind(name ?? '');
    if (kind === undefined) throw new Error(`no kind of event is called ${name}: ${text}`);
    const [task, within = '0'] = pid!.split('/');
    const inInterrupt = within === 'irq';
    this.#ns += 10_000;
    this.out.record(
      this.#ns,
      integer(head),
      integer(task!) + this.#pid,
      CTX_KNOWN | (inInterrupt ? CTX_HARDIRQ : integer(within) << CTX_PREEMPT_SHIFT),
      ++this.#record,
    );
    const values: number[] = new Array(8).fill(Number.NaN);
    for (const arg of args) {
      const [key, value] = arg.split('=');
      const at = kind.at[key!];
      if (at === undefined || value === undefined) throw new Error(`${kind.name} has no argument ${arg}`);
      if (kind.args[key!] === 'pte') [values[at], values[at + 1]] = this.#pte(value);
      else values[at] = this.#value(kind, key!, value);
    }
    this.out.emit(kind, ...(values as [number]));
  }

  #value(kind: EventKind, key: string, text: string): number {
    switch (kind.args[key]) {
      case 'pfn':
        return this.#pfn(text);
      case 'mm':
        return this.#mms.number(text);
      case 'ptr': {
        if (text.startsWith('@')) return this.#va(text.slice(1));
        if (/^\d/.test(text)) return integer(text);
        const [table, index = '0'] = text.split(':');
        return this.#tables.number(table!) + integer(index) * 8;
      }
      case 'va':
        return this.#va(text);
      case 'entry':
        return entryOf(0, integer(text.replace(/^swap:/, '')));
      case 'pageflags':
        return union(PAGE_FLAGS, text);
      case 'gupflags':
        return union(GUP_FLAGS, text);
      case 'faultflags':
        return union(FAULT_FLAGS, text);
      case 'pid':
        return integer(text) + this.#pid;
      case 'bool':
        if (text !== 'yes' && text !== 'no') throw new Error(`${key} is yes or no, not ${text}`);
        return text === 'yes' ? 1 : 0;
      case 'code':
        return (CODES[kind.name] ?? CODES[key])?.[text] ?? integer(text);
      default:
        return integer(text);
    }
  }

  #pfn(text: string): number {
    if (text === '-') return -1;
    return /^\d/.test(text) ? integer(text) : this.#pfns.number(text);
  }

  #va(text: string): number {
    const [region, pages = '0'] = text.split('+');
    return this.#regions.number(region!) + integer(pages) * 4096;
  }

  #pte(text: string): [bits: number, frame: number] {
    if (text === 'none') return [PTE_NONE, 0];
    const [name, how, mark = ''] = text.split(':');
    if (name === 'swap') return [PTE_SWAP | (mark === 'x' ? PTE_EXCLUSIVE : 0), entryOf(0, integer(how!))];
    const [, kind, marks] = /^([rwm])([uxh]*)$/.exec(how ?? '') ?? [];
    if (kind === undefined) throw new Error(`a PTE is none, swap:N, PAGE:r, PAGE:w or PAGE:m, not ${text}`);
    const bits =
      (marks!.includes('u') ? PTE_UFFD_WP : 0) |
      (marks!.includes('x') ? PTE_EXCLUSIVE : 0) |
      (marks!.includes('h') ? PTE_HUGE : 0);
    if (kind === 'm') return [PTE_MIGRATION | bits, this.#pfn(name!)];
    return [PTE_PRESENT | PTE_USER | bits | (kind === 'w' ? PTE_WRITE : 0), this.#pfn(name!)];
  }
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new Error(`not a number: ${text}`);
  return value;
}

function duration(text: string): number {
  const [, amount, unit] = /^(\d+)(us|ms|s)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`not a duration: ${text}`);
  return Number(amount) * (unit === 'us' ? 1e3 : unit === 'ms' ? 1e6 : 1e9);
}

function union(words: Words, text: string): number {
  let bits = 0;
  for (const word of text.split('|')) {
    const bit = words[word];
    if (bit === undefined) throw new Error(`no flag is called ${word}`);
    bits |= bit;
  }
  return bits;
}

/** The events of a text. */
export function events(text: string, world: World = WORLD): EventBatch {
  const reader = new Reader(world);
  for (const line of text.split('\n')) reader.line(line);
  return reader.out.take();
}

/** What to judge against. */
export interface Judging {
  /** Id of a preset, or a variant; null: none declared. */
  readonly variant?: string | Variant | null;
  readonly kernel?: number | null;
  readonly skewNs?: number;
  readonly world?: World;
}

/** What a text of events comes to. */
export interface Judged {
  readonly divergences: readonly Divergence[];
  readonly coverage: ReadonlyMap<string, Coverage>;
  readonly decisions: readonly WriteFault[];
  readonly state: MmState;
}

/** Folds and judges batches. */
export function judged(batches: Iterable<EventBatch>, how: Judging = {}): Judged {
  const state = new MmState(FOLDS);
  const decisions: WriteFault[] = [];
  const { variant = null, kernel = 612, skewNs = 0 } = how;
  const declared = typeof variant === 'string' ? variantById(variant) : variant;
  if (declared === undefined) throw new Error(`no variant is called ${variant}`);
  const runner = new Runner(state, CHECKS, {
    declared,
    kernel: () => kernel,
    skewNs: () => skewNs,
    onDecision: (fault) => decisions.push(fault),
  });
  for (const batch of batches) runner.run(batch);
  const { divergences, coverage } = runner.finish();
  return { divergences, coverage: new Map(coverage.map((c) => [c.check, c])), decisions, state };
}

/** Folds and judges a text. */
export function judge(text: string, how: Judging = {}): Judged {
  return judged([events(text, how.world)], how);
}

/** The text without the lines that match; there must be some. */
export function without(text: string, pattern: RegExp): string {
  const lines = text.split('\n');
  const left = lines.filter((line) => !pattern.test(line));
  if (left.length === lines.length) throw new Error(`no line matches ${pattern}`);
  return left.join('\n');
}

/** Divergences in a line each: severity, verdict, check, cause, how often, and the checks that are its consequences. */
export function told({ divergences }: Pick<Judged, 'divergences'>): string[] {
  return divergences.map((d) =>
    [
      d.severity,
      d.verdict,
      d.check,
      `(${d.cause})`,
      `x${d.count}`,
      ...(d.consequences.length > 0 ? [`with ${d.consequences.map((c) => `${c.check}`).join(', ')}`] : []),
    ].join(' '),
  );
}
