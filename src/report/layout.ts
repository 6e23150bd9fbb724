import stringWidth from 'string-width';
import { REPORT_COLUMNS } from './style.ts';

/** Text filled with blanks to a number of terminal columns: colours count nothing, wide characters twice. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/** A word cut to pieces of at most `width` columns. */
function breakWord(word: string, width: number): string[] {
  if (stringWidth(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  for (const char of word) {
    if (part !== '' && stringWidth(part + char) > width) {
      parts.push(part);
      part = '';
    }
    part += char;
  }
  parts.push(part);
  return parts;
}

/** Text broken at blanks into lines of at most `width` columns. A longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    for (const piece of breakWord(word, width)) {
      if (line === '') line = piece;
      else if (stringWidth(line) + 1 + stringWidth(piece) <= width) line += ` ${piece}`;
      else {
        lines.push(line);
        line = piece;
      }
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Sentences as a paragraph, indented. */
export function paragraph(text: string, indent = 0): string {
  return wrap(text, REPORT_COLUMNS - indent)
    .map((line) => ' '.repeat(indent) + line)
    .join('\n');
}

/** `label   text`, with the text wrapped behind the label's column. */
export function labelled(label: string, text: string, indent = 0, column = 11): string {
  const lines = wrap(text, REPORT_COLUMNS - indent - column);
  const margin = ' '.repeat(indent);
  const first = `${margin}${pad(label, column - 1)} ${lines[0] ?? ''}`.trimEnd();
  return [first, ...lines.slice(1).map((line) => margin + ' '.repeat(column) + line)].join('\n');
}

/** Parts joined by two blanks, broken between parts only. */
export function joinParts(parts: readonly string[], indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line === '') line = part;
    else if (stringWidth(line) + 2 + stringWidth(part) <= REPORT_COLUMNS - indent) line += `  ${part}`;
    else {
      lines.push(line);
      line = part;
    }
  }
  lines.push(line);
  return lines.map((text) => ' '.repeat(indent) + text).join('\n');
}

/** One column of a table: its width in columns (left out: as wide as its widest cell), and where its cells stand. */
export interface Column {
  readonly width?: number;
  readonly align?: 'left' | 'right';
}

/** Cells in columns, two blanks between them, words wrapped inside the columns that have a width. */
export function table(shape: readonly Column[], rows: ReadonlyArray<readonly string[]>, indent = 0): string {
  const widths = shape.map(
    (column, i) => column.width ?? Math.max(0, ...rows.map((row) => stringWidth(row[i] ?? ''))),
  );
  const out: string[] = [];
  for (const row of rows) {
    const cells = shape.map((column, i) =>
      column.width === undefined ? [row[i] ?? ''] : wrap(row[i] ?? '', column.width),
    );
    const height = Math.max(1, ...cells.map((cell) => cell.length));
    for (let y = 0; y < height; y++) {
      const line = shape.map((column, i) => pad(cells[i]![y] ?? '', widths[i]!, column.align)).join('  ');
      out.push((' '.repeat(indent) + line).trimEnd());
    }
  }
  return out.join('\n');
}
