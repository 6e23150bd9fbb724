import { pageFlagText } from '../core/pageflags.ts';
import type { PageStory } from '../replay/page-life.ts';
import type { Generation, LedgerLine, LifeEvent } from '../state/life.ts';
import { escapeText } from './escape.ts';
import { eventWords } from './event-words.ts';
import { absoluteNs, count, hexOrNull, plural, stamp } from './format.ts';
import type { Json } from './json.ts';
import { labelled, paragraph, table } from './layout.ts';
import type { Style } from './style.ts';

function balanceText({ sum, due, freed, fromStart }: Generation): string {
  if (sum === null) return 'no count is known: page_ref does not tell of it';
  if (due === null) return `${sum} by the changes, and no printed count to compare with`;
  const what = freed ? 'the free' : `the last printed count (${due})`;
  const opening = fromStart ? '' : ', from the first count that was printed';
  if (sum === due) return `balances with ${what}${opening}`;
  const off = Math.abs(sum - due);
  return sum > due
    ? `does not balance with ${what}${opening}: ${plural(off, 'put')} more than the trace tells`
    : `does not balance with ${what}${opening}: ${plural(off, 'reference')} more taken than the trace tells`;
}

function eventJson(event: LifeEvent, originNs: bigint, comms: ReadonlyMap<number, string>): Json {
  const { kind, args } = event;
  const { flags } = kind.at as Readonly<Record<string, number>>;
  const { flags: type } = kind.args;
  const sample = flags === undefined || type !== 'pageflags' ? Number.NaN : args[flags]!;
  return {
    seq: event.seq,
    ns: absoluteNs(originNs, event.ns),
    cpu: event.cpu,
    task: { pid: event.pid, comm: comms.get(event.pid) ?? null },
    kind: kind.name,
    text: eventWords(kind, args),
    change: event.change,
    purpose: event.purpose,
    refcount: event.count,
    printed: event.printed,
    flags: Number.isNaN(sample) ? null : pageFlagText(sample),
  };
}

/** One object of `faultline.page/1`. */
export function pageJson({ facts, pfn, generations }: PageStory): Json {
  const comms = new Map(facts.tasks.map(({ pid, comm }) => [pid, comm]));
  return {
    schema: 'faultline.page/1',
    pfn: hexOrNull(pfn),
    stopped: facts.stopped,
    generations: generations.map((generation) => ({
      generation: generation.number,
      first_seq: generation.events[0]!.seq,
      last_seq: generation.events.at(-1)!.seq,
      freed: generation.freed,
      from_start: generation.fromStart,
      ledger: {
        opening: generation.opening,
        lines: generation.ledger.map(({ purpose, taken, put }) => ({ purpose, taken, put })),
        sum: generation.sum,
        due: generation.due,
        off: generation.sum === null || generation.due === null ? null : generation.sum - generation.due,
      },
      events: generation.events.map((event) => eventJson(event, facts.originNs, comms)),
    })),
  };
}

/** What an event did to its page, in a few words: a change of the count by what it was for. */
export function lifeWords({ kind, args, change, purpose }: LifeEvent): string {
  if (change === 0 || purpose === null) return eventWords(kind, args);
  return `${kind.name === 'ref.set' ? 'refcount set' : change > 0 ? 'reference' : 'put'}: ${purpose}`;
}

/** Events of one generation that text shows: its beginning and its end. */
const SHOWN_FIRST = 40;
const SHOWN_LAST = 20;

function ledgerRow({ purpose, taken, put }: LedgerLine): readonly string[] {
  return [purpose, `+${count(taken)}`, `-${count(put)}`, taken === put ? '' : String(taken - put)];
}

function generationText(story: PageStory, generation: Generation, style: Style): string {
  const { facts } = story;
  const comms = new Map(facts.tasks.map(({ pid, comm }) => [pid, comm]));
  const name = (pid: number): string => {
    const comm = comms.get(pid);
    return comm === undefined ? `pid ${pid}` : `${escapeText(comm)}/${pid}`;
  };
  const row = (event: LifeEvent): readonly string[] => {
    const refs =
      event.change === 0
        ? ''
        : `${event.change > 0 ? '+' : ''}${event.change} -> ${event.count ?? '?'}${event.printed !== null && event.printed !== event.count ? ` (printed ${event.printed})` : ''}`;
    return [
      String(event.seq),
      stamp(facts, event.ns),
      String(event.cpu),
      name(event.pid),
      refs,
      lifeWords(event),
    ];
  };
  const { events } = generation;
  const cut = events.length > SHOWN_FIRST + SHOWN_LAST;
  const first = cut ? events.slice(0, SHOWN_FIRST) : events;
  const last = cut ? events.slice(-SHOWN_LAST) : [];
  const rows = [...first, ...last].map(row);
  const text = table(
    [{ align: 'right' }, {}, {}, {}, {}, {}],
    [['seq', 'time', 'CPU', 'task', 'refs', 'event'], ...rows],
    2,
  );
  const lines = text.split('\n');
  if (cut)
    lines.splice(
      SHOWN_FIRST + 1,
      0,
      `  ... ${count(events.length - SHOWN_FIRST - SHOWN_LAST)} events between: --json has them all`,
    );
  const span = `seq ${events[0]!.seq} to ${events.at(-1)!.seq}`;
  const state = generation.freed ? 'freed' : 'not freed in the trace';
  const ledger =
    generation.ledger.length === 0
      ? []
      : [
          table(
            [{}, { align: 'right' }, { align: 'right' }, { align: 'right' }],
            generation.ledger.map(ledgerRow),
            2,
          ),
        ];
  const opening =
    generation.opening === null || generation.opening === 0
      ? []
      : [`  ${plural(generation.opening, 'reference')} when first seen`];
  return [
    `${style.bold(`generation ${generation.number}`)}  ${span}, ${plural(events.length, 'event')}, ${state}`,
    ...lines,
    '  references taken and put:',
    ...opening,
    ...ledger,
    paragraph(balanceText(generation), 2),
  ].join('\n');
}

/** The life of a page as text. */
export function pageText(story: PageStory, style: Style): string {
  const { facts, pfn, generations } = story;
  const head = [
    labelled('trace', escapeText(facts.path)),
    labelled(
      'page',
      generations.length === 0
        ? `${hexOrNull(pfn)}: no event names it`
        : `${hexOrNull(pfn)}: ${plural(generations.length, 'generation')}, ${plural(
            generations.reduce((sum, { events }) => sum + events.length, 0),
            'event',
          )}`,
    ),
    ...(facts.stopped === null ? [] : [labelled('limit', escapeText(facts.stopped))]),
  ];
  return `${[head.join('\n'), ...generations.map((generation) => generationText(story, generation, style))].join('\n\n')}\n`;
}
