import { CTX_HARDIRQ, CTX_NMI, CTX_SOFTIRQ } from '../core/records.ts';
import type { EventBatch } from '../events/batch.ts';

/** One event of a batch, read in place. The fold moves a single cursor; keep nothing of it. */
export class Cursor {
  seq = 0;
  kind = 0;
  ns = Number.NaN;
  cpu = 0;
  pid = 0;
  ctx = 0;
  record = Number.NaN;
  /** Arguments of the batch; the event's begin at {@link at}. */
  args: Float64Array = new Float64Array(0);
  at = 0;

  /** Points at event `i` of a batch. */
  seek(batch: EventBatch, i: number): void {
    this.seq = batch.firstSeq + i;
    this.kind = batch.kind[i]!;
    this.ns = batch.ns[i]!;
    this.cpu = batch.cpu[i]!;
    this.pid = batch.pid[i]!;
    this.ctx = batch.ctx[i]!;
    this.record = batch.record[i]!;
    this.args = batch.args;
    this.at = batch.at[i]!;
  }

  /** Whether an interrupt acts, so that the task named is only the interrupted one (formats.md 1.5). */
  get inInterrupt(): boolean {
    return (this.ctx & (CTX_HARDIRQ | CTX_SOFTIRQ | CTX_NMI)) !== 0;
  }
}
