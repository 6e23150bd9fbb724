import { rmapDel, wpTest } from '../events/index.ts';
import { int, page } from './columns.ts';
import { type Tracepoint, tell } from './tracepoint.ts';

/**
 * The rich pack as kprobe events (offsets instead of argument names): most names are those of the fprobes with
 * fewer fields, which the fprobe declarations read as they are. These are the names that differ.
 */
export const richKprobeTracepoints: readonly Tracepoint[] = [
  tell(
    'remove_rmap',
    rmapDel,
    { pfn: page('page'), folio: page('folio'), nr: int('nr') },
    {
      unless: 'remove_rmap_ptes',
    },
  ),
  tell('wp_can_reuse_symaddr', wpTest, { pfn: page('folio') }, { unless: 'wp_can_reuse' }),
];
