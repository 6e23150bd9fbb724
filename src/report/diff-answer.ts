import type { Comparison } from '../compare/diff/compare.ts';
import type { Lane, LaneRow } from '../compare/diff/page-lanes.ts';

/** The pages of the first difference, in both traces. */
export interface PageLanes {
  readonly a: Lane;
  readonly b: Lane;
  readonly rows: readonly LaneRow[];
}

/** What `diff` answers. `pages` is null where the first difference is not about a page of both traces. */
export interface DiffAnswer {
  readonly comparison: Comparison;
  readonly pages: PageLanes | null;
}
