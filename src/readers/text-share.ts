/** How many of the first lines of a text match, in hundredths. Stacks, comments and empty lines do not count. */
export function lineShare(text: string, pattern: RegExp): number {
  const lines = text
    .split('\n', 60)
    .filter((line) => line.trim() !== '' && line[0] !== '\t' && line[0] !== '#')
    .slice(0, 40);
  if (lines.length === 0) return 0;
  return Math.round((lines.filter((line) => pattern.test(line.slice(0, 300))).length * 100) / lines.length);
}
