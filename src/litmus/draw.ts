import { flagNames } from './flags.ts';
import type { Program } from './program.ts';
import type { Run } from './replay.ts';

/** Columns of a lane at most, and of all lanes together: a report is 78 wide. */
const LANE = 34;
const LANES = 71;

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

/** An interleaving in lanes, one for each thread, as domain.md draws them; what was seen stands beneath the step that showed it. */
export function drawing(program: Program, run: Run): string {
  const shown = program.threads
    .map((_thread, i) => i)
    .filter((i) => run.steps.some(({ thread }) => thread === i));
  const width = Math.max(16, Math.min(LANE, Math.floor((LANES + 3) / Math.max(1, shown.length)) - 3));
  const row = (cells: readonly string[], seq: string): string =>
    `${seq.padStart(5)}  ${cells.map((cell) => cell.padEnd(width)).join(' | ')}`.trimEnd();
  const out = [
    row(
      shown.map((i) => {
        const { name, cpu, mm } = program.threads[i]!;
        return `CPU${cpu} ${name}${mm >= 0 ? ` (${program.mms[mm]})` : ''}`;
      }),
      'event',
    ),
  ];
  for (const step of run.steps) {
    const lines = wrapped(step.text, width);
    const seen = flagNames(step.flags);
    for (const [i, line] of lines.entries()) {
      const cells = shown.map((thread) => (thread === step.thread ? line : ''));
      out.push(row(cells, i === 0 && step.count > 0 ? String(step.first) : ''));
    }
    if (seen.length > 0)
      out.push(...wrapped(`^ ${seen.join(', ')}`, 70).map((line) => `${' '.repeat(7)}${line}`));
  }
  return out.join('\n');
}
