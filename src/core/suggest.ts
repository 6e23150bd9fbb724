/** Edits (insert, remove, replace, swap neighbours) between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(row[j]! + 1, current[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, before[j - 2]! + 1);
      current.push(best);
    }
    before = row;
    row = current;
  }
  return row[b.length]!;
}

/** The known word that was probably meant, or null if none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const contained = known.filter((name) => word.length >= 3 && name.includes(word));
  if (contained.length > 0) return contained.reduce((a, b) => (b.length < a.length ? b : a));
  let best: string | null = null;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const edits = distance(word, name);
    if (edits < least) {
      least = edits;
      best = name;
    }
  }
  return best;
}
