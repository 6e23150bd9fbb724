import type { Divergence } from '../../checks/finding.ts';
import type { EventBatch } from '../../events/batch.ts';
import { FOLL_PIN, FOLL_WRITE } from '../../events/flags.ts';
import { eventOf, type LineEvent } from '../../events/json-lines.ts';

/** A divergence and its events, as a story is made of them. */
export interface Material {
  readonly found: Divergence;
  readonly events: readonly LineEvent[];
  /** Position of the event that the divergence is at. */
  readonly at: number;
  /** Name for the thread of a task. */
  thread(pid: number): string;
}

/** Declarations and threads of a scenario: name and properties of each thread, and its statements. */
export interface Story {
  readonly world: readonly string[];
  readonly threads: ReadonlyMap<string, readonly string[]>;
}

/** How events of one family are told as steps. */
interface Teller {
  /** First words of the kinds of event that it understands. */
  readonly kinds: readonly string[];
  /** Whether the divergence is of this family. */
  suits(material: Material): boolean;
  /** Scenarios that the events may have been, the likeliest first. */
  tell(material: Material): readonly Story[];
}

export function materialOf(found: Divergence, batch: EventBatch, thread: (pid: number) => string): Material {
  const events = Array.from({ length: batch.count }, (_, i) => eventOf(batch, i));
  return { found, events, at: found.place.seq - 1, thread };
}

/** Value of an argument, NaN where the kind has none of that name. */
function arg(event: LineEvent, name: string): number {
  const at = event.kind.at[name];
  return at === undefined ? Number.NaN : event.args[at]!;
}

/** A GUP reference on the page that the divergence is about. */
interface Taken {
  readonly position: number;
  readonly pid: number;
  /** `hold` and what stands behind the mm and the address: kind, purpose. */
  readonly how: string;
}

function takenOn({ found, events }: Material): Taken[] {
  const taken: Taken[] = [];
  for (const [position, event] of events.entries()) {
    if (!['gup.grab', 'gup.grab-fast.begin'].includes(event.kind.name)) continue;
    if (arg(event, 'pfn') !== found.place.pfn) continue;
    const flags = arg(event, 'flags');
    const how = `${flags & FOLL_PIN ? 'pin' : 'get'} ${flags & FOLL_WRITE ? 'write' : 'read'}`;
    taken.push({ position, pid: event.pid, how });
  }
  return taken;
}

/** Statements of a thread that is not the first one, under its name. */
function add(threads: Map<string, string[]>, head: string, statement: string): void {
  const statements = threads.get(head);
  if (statements === undefined) threads.set(head, [statement]);
  else if (statements.at(-1) !== statement) statements.push(statement);
}

const isReclaim = (event: LineEvent): boolean => event.kind.name.startsWith('reclaim.');

/** A write fault on a read-only PTE: the page as it was found, those who refer to it, a reclaimer that looks at it. */
const writeFault: Teller = {
  kinds: [
    'anon',
    'fault',
    'wp',
    'pte',
    'ref',
    'rmap',
    'gup',
    'lock',
    'lru',
    'reclaim',
    'swapcache',
    'page',
    'fork',
    'task',
  ],
  suits: ({ events, at }) => events[at]?.kind.name === 'wp.begin',
  tell(material) {
    const { found, events, at, thread } = material;
    const { place, values } = found;
    const own = place.pid!;
    const app = thread(own);
    const shared = typeof values['mapcount'] === 'number' && values['mapcount'] > 1;
    const before = takenOn(material).filter(({ position }) => position < at);
    const foreign = before.filter(({ pid }) => pid !== own);
    const world = [foreign.length > 0 || shared ? 'mm A B' : 'mm A', 'va v'];
    if (values['swapcache'] === true) world.push('slot e');
    const threads = new Map<string, string[]>([[`${app} A cpu 0`, ['write A v']]]);
    for (const { pid } of foreign.slice(0, 1)) {
      const child = `${thread(pid)} B cpu 1`;
      // One mapping is left at the decision: the other one went before.
      if (!shared) add(threads, child, 'munmap B v');
      add(threads, child, 'dma-read ref0');
    }
    const looks = events.some((event) => isReclaim(event) && event.pid !== own);
    const reclaimer = events.find((event) => isReclaim(event) && event.pid !== own)?.pid;
    if (looks) add(threads, `${thread(reclaimer!)} reclaim cpu 2`, 'look P');
    const page = (lru: string): string =>
      ['page P', ...(lru === '' ? [] : [lru]), ...(values['exclusive'] === true ? ['exclusive'] : [])].join(
        ' ',
      );
    const rest = [
      'map A v P ro',
      ...(foreign.length > 0 || shared ? ['map B v P ro'] : []),
      ...(values['swapcache'] === true ? ['cache P e'] : []),
      ...[...foreign.slice(0, 1), ...before.filter(({ pid }) => pid === own).slice(0, 1)].map(
        ({ pid, how }, i) => `hold ref${i} ${pid === own ? 'A' : 'B'} v ${how} P`,
      ),
    ];
    // The batch of another CPU cannot be drained from here; that of one's own can.
    const lists = found.cause === 'lru-batch' ? ['batch 1', 'batch 0'] : [''];
    return lists.map((lru) => ({ world: [...world, page(lru), ...rest], threads }));
  },
};

/** khugepaged replaces a page that somebody has a reference to, from before or meanwhile. */
const collapse: Teller = {
  kinds: ['anon', 'fault', 'pte', 'ref', 'rmap', 'gup', 'lock', 'lru', 'page', 'thp', 'pmd', 'fork', 'task'],
  suits: ({ events }) => events.some(({ kind }) => kind.name === 'thp.isolate.begin'),
  tell(material) {
    const { found, events, thread } = material;
    const starts = events.findIndex(({ kind }) => kind.name === 'thp.isolate.begin');
    const [taken] = takenOn(material);
    const early = taken === undefined || taken.position < starts;
    const held = taken === undefined ? [] : [`hold dma A v ${taken.how}${early ? ' P' : ''}`];
    const user = taken === undefined || taken.pid === found.place.pid ? 'user' : thread(taken.pid);
    const threads = new Map<string, string[]>([[`${thread(found.place.pid!)} A cpu 0`, ['collapse A v']]]);
    if (taken !== undefined)
      threads.set(`${user}${early ? '' : ' A'} cpu 1`, [...(early ? [] : ['gup-fast dma']), 'dma-write dma']);
    return [{ world: ['mm A', 'va v', 'page P exclusive', 'map A v P rw', ...held], threads }];
  },
};

/** Processes free their swap entries while a device is torn down. */
const swapoff: Teller = {
  kinds: ['swap', 'si', 'task'],
  suits: ({ events }) => events.some(({ kind }) => kind.name === 'swap.free-cache.begin'),
  tell({ events, thread }) {
    const frees = events.filter(({ kind }) => kind.name === 'swap.free-cache.begin');
    const entries = [...new Set(frees.map((event) => arg(event, 'entry')))].slice(0, 4);
    const freers = [...new Set(frees.map(({ pid }) => pid))].slice(0, 3);
    const off = events.find(({ kind, pid }) => kind.name.startsWith('si.') && !freers.includes(pid));
    const mms = freers.map((_pid, i) => 'ABC'[i]!);
    const world = [`mm ${mms.join(' ')}`, 'va v', `slot ${entries.map((_entry, i) => `e${i}`).join(' ')}`];
    const threads = new Map<string, string[]>();
    for (const [i, pid] of freers.entries()) {
      const entry = entries.indexOf(arg(frees.find((event) => event.pid === pid)!, 'entry'));
      world.push(`swapped ${mms[i]!} v e${entry}`);
      threads.set(`${thread(pid)} ${mms[i]!} cpu ${i}`, [`zap-swap ${mms[i]!} v`]);
    }
    if (off !== undefined) threads.set(`${thread(off.pid)} cpu ${freers.length}`, ['swapoff']);
    return [{ world, threads }];
  },
};

/** Every way to tell events as a scenario. */
export const TELLERS: readonly Teller[] = [writeFault, collapse, swapoff];
