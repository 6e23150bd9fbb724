/** How text is painted. The caller decides whether there is colour; without it every function returns its input. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;

/** No colour at all. */
export const PLAIN: Style = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };

/** Columns of a report: a mail, and a terminal of 80. Fixed, so that the same trace gives the same bytes. */
export const REPORT_COLUMNS = 78;
