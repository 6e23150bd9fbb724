import stringWidth from 'string-width';
import { escapeText } from './escape.ts';
import { pad, table } from './layout.ts';

/** A cell as text: nothing for what is not known. */
function cell(value: unknown): string {
  return value === null || value === undefined ? '' : escapeText(String(value));
}

/** A line of CSV (RFC 4180). */
export function csvLine(cells: readonly unknown[]): string {
  const quoted = cells.map((value) => {
    const text = cell(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}

/** Rows that decide how wide the columns are; later ones are fitted in. */
const MEASURED = 1000;

/** A table of rows that come one by one. */
export class RowTable {
  #waiting: string[][] | null = [];
  #widths: number[] = [];
  #numeric: boolean[] = [];

  /** Names of the columns. */
  start(columns: readonly string[]): void {
    this.#waiting = [columns.map(cell)];
    this.#numeric = columns.map(() => true);
  }

  /** Takes a row; returns what can be printed. */
  row(cells: readonly unknown[]): string {
    const texts = cells.map(cell);
    if (this.#waiting === null) return this.#print([texts]);
    for (const [i, value] of cells.entries())
      if (value !== null && typeof value !== 'number') this.#numeric[i] = false;
    this.#waiting.push(texts);
    return this.#waiting.length > MEASURED ? this.end() : '';
  }

  /** What is left to print. */
  end(): string {
    const rows = this.#waiting;
    if (rows === null || rows.length === 0) return '';
    this.#widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => stringWidth(row[i]!))));
    this.#waiting = null;
    return this.#print(rows);
  }

  #print(rows: readonly string[][]): string {
    const align = (i: number) => (this.#numeric[i] ? 'right' : 'left');
    const padded = rows.map((row) => row.map((text, i) => pad(text, this.#widths[i]!, align(i))));
    return `${table(
      this.#numeric.map(() => ({})),
      padded,
    )}\n`;
  }
}
