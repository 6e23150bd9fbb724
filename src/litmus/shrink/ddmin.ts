/**
 * Delta debugging (ddmin: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), by
 * complements only: chunks are left out, large ones first, as long as what is left still holds. What comes back is
 * 1-minimal: leaving out any single unit of it does not hold. `holds` is asked in an order that depends on the units only.
 */
export function ddmin<U>(units: readonly U[], holds: (kept: readonly U[]) => boolean): readonly U[] {
  let kept = units;
  let size = Math.ceil(kept.length / 2);
  while (kept.length > 0) {
    let removed = false;
    for (let at = 0; at < kept.length; ) {
      const rest = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (rest.length > 0 && holds(rest)) {
        kept = rest;
        removed = true;
      } else at += size;
    }
    if (size > 1) size = Math.ceil(Math.min(size, kept.length) / 2);
    else if (!removed) break;
  }
  return kept;
}
