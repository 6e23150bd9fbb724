import { ascii, Line } from '../core/line.ts';
import type { EventBatch } from '../events/batch.ts';
import { traceLost, traceSegment } from '../events/index.ts';
import { encodeEvent, encodeHead, writeEvent } from '../events/json-write.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import type { Synthesis } from './generate.ts';
import { Loss, type LossSpec } from './loss.ts';
import type { SynthSpec } from './spec.ts';
import { BOOT_NS, CLOCKS, type Clock, Head, header, type Layout } from './text/layout.ts';
import { RECORDS } from './text/records.ts';
import type { Print } from './text/template.ts';

/** How a synthetic trace is written down. */
export interface Written {
  readonly format: 'text' | 'jsonl';
  readonly layout: Layout;
  readonly clock: Clock;
  readonly loss: LossSpec;
  /** The text ends in the middle of its last record. */
  readonly cut: boolean;
}

const LINE_FEED = 10;

/** Kinds of events by their code, and what prints them. */
const PRINTS: ReadonlyArray<Print | undefined> = EVENT_KINDS.map((kind) => RECORDS.get(kind));

/** Names of the task that has this pid; one that is gone may have had it before. */
function taskOf(synthesis: Synthesis, pid: number): { comm: string; tgid: number } {
  return synthesis.tasks.get(pid) ?? { comm: '<...>', tgid: pid };
}

/** The lines of a trace, in pieces of some hundred kilobytes. */
export function* linesOf(synthesis: Synthesis, spec: SynthSpec, written: Written): Generator<string, void> {
  const pieces =
    written.format === 'text' ? textPieces(synthesis, spec, written) : jsonPieces(synthesis, spec, written);
  if (!written.cut) {
    yield* pieces;
    return;
  }
  let held = '';
  for (const piece of pieces) {
    if (held !== '') yield held;
    held = piece;
  }
  const last = held.lastIndexOf('\n', held.length - 2) + 1;
  yield held.slice(0, last + Math.floor((held.length - last) / 2));
}

function* textPieces(synthesis: Synthesis, spec: SynthSpec, written: Written): Generator<string, void> {
  const loss = new Loss(written.loss, spec.seed);
  const form = {
    layout: written.layout,
    clock: written.clock,
    cpus: spec.cpus,
    entries: Math.max(0, spec.events - written.loss.overwritten),
    written: spec.events,
    task: (pid: number) => taskOf(synthesis, pid),
  };
  const head = new Head(form);
  const line = new Line();
  yield header(form);
  for (const batch of synthesis.batches()) {
    for (let i = 0; i < batch.count; i++) {
      const lost = loss.before(batch, i);
      if (lost < 0) continue;
      if (lost > 0) line.put(ascii(`CPU:${batch.cpu[i]} [LOST ${lost} EVENTS]\n`));
      const print = PRINTS[batch.kind[i]!];
      if (print === undefined) throw new Error(`no record states ${EVENT_KINDS[batch.kind[i]!]!.name}`);
      head.write(line, batch.pid[i]!, batch.cpu[i]!, batch.ctx[i]!, batch.ns[i]!, batch.record[i]!);
      print(line, batch.args, batch.at[i]!);
      line.byte(LINE_FEED);
      if (line.full) yield line.take();
    }
  }
  yield line.take();
}

function* jsonPieces(synthesis: Synthesis, spec: SynthSpec, written: Written): Generator<string, void> {
  const { clock, loss: lossSpec } = written;
  const loss = new Loss(lossSpec, spec.seed);
  // The names of tasks are known only as they come, behind the first line.
  const told = { kernel: '6.12.117', arch: 'x86-64', clock, tasks: [], about: {} };
  yield `${encodeHead({ originNs: BigInt(BOOT_NS), ticks: !CLOCKS[clock], ...told })}\n`;
  const line = new Line();
  let isFirst = true;
  for (const batch of synthesis.batches()) {
    for (let i = 0; i < batch.count; i++) {
      const lost = loss.before(batch, i);
      if (lost < 0) continue;
      if (isFirst && lossSpec.overwritten > 0)
        line.put(mark(batch, i, traceSegment, [lossSpec.overwritten, spec.cpus]));
      if (lost > 0) line.put(mark(batch, i, traceLost, [batch.cpu[i]!, lost]));
      isFirst = false;
      writeEvent(line, batch, i);
      if (line.full) yield line.take();
    }
  }
  yield line.take();
}

/** A line that says what is missing before event `i`. */
function mark(
  batch: EventBatch,
  i: number,
  kind: typeof traceLost | typeof traceSegment,
  args: readonly number[],
): Uint8Array {
  const cpu = batch.cpu[i]!;
  return ascii(`${encodeEvent({ kind, ns: batch.ns[i]!, cpu, pid: -1, ctx: 0, args })}\n`);
}
