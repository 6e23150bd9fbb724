import { decodePlain } from '../core/image.ts';
import type { MmState, StateImage } from '../state/state.ts';
import { unsqueezeText } from './compress.ts';

/**
 * The rule of spacing: folding from one snapshot to the next costs six times as much as restoring one. A seek then
 * costs four restores on average and seven at worst, some hundredths of a second; closer snapshots would save it three
 * at most, and each costs the recording about as much as the folding of ten thousand events. Restoring costs about
 * 7 ns for each byte of image, opening and folding an event about 0.5 us (both measured on base-cow-big).
 */
const FOLDS_PER_RESTORE = 6;
const RESTORE_NS_PER_BYTE = 7;
const FOLD_NS_PER_EVENT = 500;
/** A small state is folded faster than it is worth storing, and a large one must stay a short wait away. */
const LEAST_SPACING = 16_384;
const GREATEST_SPACING = 131_072;

/** Bytes of a row of pages, of a page-table page, and of the rest: the state's size without making its image. */
function imageBytes(state: MmState): number {
  return (
    state.pages.table.bound * 170 + state.ptes.tables.bound * 512 * 27 + state.holds.table.bound * 60 + 65_536
  );
}

/** Whether a snapshot is due, the last one being that after event `since`. A function of the events alone. */
export function snapshotDue(state: MmState, since: number): boolean {
  const spacing = (FOLDS_PER_RESTORE * imageBytes(state) * RESTORE_NS_PER_BYTE) / FOLD_NS_PER_EVENT;
  return state.seq - since >= Math.min(GREATEST_SPACING, Math.max(LEAST_SPACING, spacing));
}

/** Versions of the slices as one text. */
export function versionText(state: MmState): string {
  return JSON.stringify(state.versions());
}

/** Puts a stored image into a state. */
export function restoreSnapshot(state: MmState, image: Uint8Array): void {
  state.restore(decodePlain(unsqueezeText(image)) as unknown as StateImage);
}
