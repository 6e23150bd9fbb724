import { traceLost } from '../events/index.ts';
import { silent, type Tracepoint, tracepoint } from './tracepoint.ts';

/** A record that the kernel or a tool could not print: it happened, on this CPU, and what it stated is lost. */
export const unprinted: Tracepoint = tracepoint('(not printed)', [traceLost], [], (_values, out, ctx) => {
  out.emit(traceLost, ctx.cpu, 1);
});

/** Events that are known and state no fact about the MM that faultline models. */
export const silentTracepoints: readonly Tracepoint[] = [
  // Markers: text of whoever wrote them.
  'tracing_mark_write',
  'print',
  'bprint',
  'bputs',
  // Annotations of the kernels that the captures were made with.
  'capture_gt',
  // Stack traces belong to the record before them; other tracers' records are no MM events.
  '<stack trace>',
  '<user stack trace>',
  'kernel_stack',
  'user_stack',
  'function',
  'funcgraph_entry',
  'funcgraph_exit',
  'func_repeats',
  // VMAs: mmap and munmap are told by the syscalls.
  'vm_unmapped_area',
  'vma_store',
  'vma_mas_szero',
  'vma_new',
  'vma_del',
  'mmap_lock_start_locking',
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  // Page cache and writeback of files.
  'mm_filemap_add_to_page_cache',
  'mm_filemap_delete_from_page_cache',
  'mm_filemap_fault',
  'mm_filemap_map_pages',
  'mm_filemap_get_pages',
  'filemap_set_wb_err',
  'file_check_and_advance_wb_err',
  'writeback_dirty_folio',
  'writeback_dirty_page',
  'folio_wait_writeback',
  'wait_on_page_writeback',
  // Compaction: what it does to pages is told by migration.
  'mm_compaction_begin',
  'mm_compaction_end',
  'mm_compaction_finished',
  'mm_compaction_suitable',
  'mm_compaction_deferred',
  'mm_compaction_defer_compaction',
  'mm_compaction_defer_reset',
  'mm_compaction_isolate_migratepages',
  'mm_compaction_isolate_freepages',
  'mm_compaction_fast_isolate_freepages',
  'mm_compaction_migratepages',
  'mm_compaction_try_to_compact_pages',
  'mm_compaction_kcompactd_sleep',
  'mm_compaction_kcompactd_wake',
  'mm_compaction_wakeup_kcompactd',
  // Kernel address space, OOM killer, signals.
  'alloc_vmap_area',
  'purge_vmap_area_lazy',
  'free_vmap_area_noflush',
  'oom_score_adj_update',
  'reclaim_retry_zone',
  'mark_victim',
  'wake_reaper',
  'start_task_reaping',
  'finish_task_reaping',
  'skip_task_reaping',
  'compact_retry',
  'signal_generate',
  'signal_deliver',
  // io_uring: pins are told by GUP.
  'io_uring_register',
  'io_uring_create',
  'io_uring_submit_req',
  'io_uring_complete',
].map((event) => silent(event));
