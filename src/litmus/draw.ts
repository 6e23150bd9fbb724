import { flagNames } from './flags.ts';
import type { Program } from './program.ts';
import type { Run } from './replay.ts';

/** Columns of a lane at most, and of all lanes together: a report is 78 wide. */
const LANE = 34;
const LANES = 71;
const LANE_LEAST = 16;

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** One thing that happens, in the lane of who did it. */
export interface LaneRow {
  readonly lane: number;
  /** Its seq, or null where it has none. */
  readonly seq: number | null;
  readonly text: string;
  /** A few words behind the lanes. */
  readonly note?: string;
  /** A sentence beneath. */
  readonly below?: string;
}

/** What happens in lanes side by side, as domain.md draws interleavings. */
export function inLanes(heads: readonly string[], rows: readonly LaneRow[]): string {
  const noted = Math.max(0, ...rows.map(({ note }) => (note === undefined ? 0 : note.length + 1)));
  const lane = Math.floor((LANES - noted + 3) / Math.max(1, heads.length)) - 3;
  const width = Math.max(LANE_LEAST, Math.min(LANE, lane));
  const row = (cells: readonly string[], seq: string, note = ''): string =>
    `${seq.padStart(5)}  ${cells.map((cell) => cell.padEnd(width)).join(' | ')} ${note}`.trimEnd();
  const titles = heads.map((head) => wrapped(head, width));
  const out: string[] = [];
  for (let i = 0; i < Math.max(0, ...titles.map((lines) => lines.length)); i++)
    out.push(
      row(
        titles.map((lines) => lines[i] ?? ''),
        i === 0 ? 'event' : '',
      ),
    );
  for (const { lane: at, seq, text, note, below } of rows) {
    for (const [i, line] of wrapped(text, width).entries()) {
      const cells = heads.map((_head, n) => (n === at ? line : ''));
      out.push(i === 0 ? row(cells, seq === null ? '' : String(seq), note) : row(cells, ''));
    }
    if (below !== undefined) out.push(...wrapped(below, 70).map((line) => `${' '.repeat(7)}${line}`));
  }
  return out.join('\n');
}

/** An interleaving in lanes, one for each thread; what was seen stands beneath the step that showed it. */
export function drawing(program: Program, run: Run): string {
  const shown = program.threads
    .map((_thread, i) => i)
    .filter((i) => run.steps.some(({ thread }) => thread === i));
  const heads = shown.map((i) => {
    const { name, cpu, mm } = program.threads[i]!;
    return `CPU${cpu} ${name}${mm >= 0 ? ` (${program.mms[mm]})` : ''}`;
  });
  const rows = run.steps.map(({ thread, text, first, count, flags }) => {
    const seen = flagNames(flags);
    return {
      lane: shown.indexOf(thread),
      seq: count > 0 ? first : null,
      text,
      ...(seen.length > 0 ? { below: `^ ${seen.join(', ')}` } : {}),
    };
  });
  return inLanes(heads, rows);
}
