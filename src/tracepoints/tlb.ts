import { tlbFlush } from '../events/index.ts';
import { int } from './columns.ts';
import { type Tracepoint, tell } from './tracepoint.ts';

/** tlb/*: `pages:-1 reason:local mm shootdown (3)`; -1 is everything. Neither mm nor range is told. */
export const tlbTracepoints: readonly Tracepoint[] = [tell('tlb_flush', tlbFlush, { pages: int('pages') })];
