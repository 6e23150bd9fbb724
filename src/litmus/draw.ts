import { flagNames } from './flags.ts';
import type { Program } from './program.ts';
import type { Run } from './replay.ts';

const LANE = 36;

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

/** An interleaving in lanes, one for each thread, as domain.md draws them; what was seen stands at the right. */
export function drawing(program: Program, run: Run): string {
  const shown = program.threads
    .map((_thread, i) => i)
    .filter((i) => run.steps.some(({ thread }) => thread === i));
  const width = Math.max(20, Math.min(LANE, Math.floor(74 / Math.max(1, shown.length)) - 3));
  const row = (cells: readonly string[], seq: string, mark: string): string =>
    `${seq.padStart(5)}  ${cells.map((cell) => cell.padEnd(width)).join(' | ')}${mark}`.trimEnd();
  const out = [
    row(
      shown.map((i) => {
        const { name, cpu, mm } = program.threads[i]!;
        return `CPU${cpu} ${name}${mm >= 0 ? ` (${program.mms[mm]})` : ''}`;
      }),
      'event',
      '',
    ),
  ];
  for (const step of run.steps) {
    const lines = wrapped(step.text, width);
    const seen = flagNames(step.flags);
    for (const [i, line] of lines.entries()) {
      const cells = shown.map((thread) => (thread === step.thread ? line : ''));
      const seq = i === 0 && step.count > 0 ? String(step.first) : '';
      out.push(row(cells, seq, i === 0 && seen.length > 0 ? `  <-- ${seen.join(', ')}` : ''));
    }
  }
  return out.join('\n');
}
