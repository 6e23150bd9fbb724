import { SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { MAPPING_FILE } from '../../events/flags.ts';
import type { Fidelity } from '../fidelity.ts';
import type { MmState } from '../state.ts';

/**
 * Samples in a row that may differ before the integral is taken to be wrong. An operation is recorded after it was
 * done, and preemption or an interrupt may put several records of others in between (domain.md 1.0, instant rule).
 */
export const LATE_SAMPLES = 16;

/** A change of the number of mappings, announced at the entry of the function that makes it. */
export function changeMap(s: MmState, seq: number, row: number, delta: number, pid: number): void {
  const c = s.pages.col;
  if (c.mapGrade[row] !== UNKNOWN) c.map[row]! += delta;
  c.mapPid[row] = pid;
  c.mapSeq[row] = seq;
  c.mapDelta[row] = delta;
}

/** What a page's samples are counted under: those of large folios by themselves. */
function fidelityOf(s: MmState, row: number): Fidelity {
  return s.pages.col.large[row] === 1 ? s.largeMapcount : s.mapcount;
}

/**
 * Compares the reconstructed number of PTEs that map a page with a raw _mapcount. Of a large folio each page has its
 * own, which counts its PTEs and no PMD: a folio mapped by one PMD has -1 in every page (mm/rmap.c:__folio_add_rmap).
 * What may differ: another task has announced a change at its entry and not made it yet (raced); the record of a
 * change comes behind others' (raced, if later samples agree again); the page was freed and taken anew where neither
 * is recorded. Where file pages gain mappings untold, as with the rich pack's kprobes, theirs are not compared.
 *
 * `raw`: as printed, -1 for none; `actor`: the task that printed it.
 */
export function compareMap(s: MmState, seq: number, row: number, raw: number, actor: number): void {
  const c = s.pages.col;
  // Pages with a page_type keep it in the same word: far below -1 (formats.md 5.12, trap 9).
  if (Number.isNaN(raw) || raw < -1) return;
  // Most compound pages are the kernel's own: what nobody was seen to map would agree about nothing.
  if (c.large[row] === 1 && c.mapSeq[row] === 0) return;
  const fidelity = fidelityOf(s, row);
  const printed = raw + 1;
  // Where gains or losses are not told nothing is integrated: every sample is news.
  const told = s.tellsMappings && (s.sources.fileRmap || c.mapping[row] !== MAPPING_FILE + 1);
  if (c.mapGrade[row]! < SAMPLED || !told) {
    fidelity.unknown++;
    c.map[row] = printed;
    c.mapGrade[row] = SAMPLED;
    c.mapOff[row] = 0;
    return;
  }
  const expected = c.map[row]!;
  if (printed === expected) {
    if (c.mapOff[row] !== 0) fidelity.race(c.mapOff[row]!);
    c.mapOff[row] = 0;
    fidelity.agree();
    return;
  }
  const mapper = c.mapPid[row] === actor ? undefined : s.tasks.peek(c.mapPid[row]!);
  if (mapper !== undefined && mapper.lastSeq === c.mapSeq[row] && printed === expected - c.mapDelta[row]!) {
    // The other task announced its change at entry and has not been heard of since.
    fidelity.race();
  } else if (c.mapOff[row] === LATE_SAMPLES) {
    fidelity.disagree(c.mapOffSeq[row]!, expected, printed, LATE_SAMPLES + 1);
    c.map[row] = printed;
    c.mapGrade[row] = SAMPLED;
    c.mapOff[row] = 0;
  } else {
    if (c.mapOff[row] === 0) c.mapOffSeq[row] = seq;
    c.mapOff[row]!++;
  }
}

/** The generation ends, or the folio changes its size: what waited is settled by whether the integral reached zero. */
export function settleMap(s: MmState, row: number): void {
  const c = s.pages.col;
  if (c.mapGrade[row]! < SAMPLED || c.mapOff[row] === 0) return;
  if (c.map[row] === 0) fidelityOf(s, row).race(c.mapOff[row]!);
  else fidelityOf(s, row).disagree(c.mapOffSeq[row]!, c.map[row]!, 0, c.mapOff[row]!);
  c.mapOff[row] = 0;
}
