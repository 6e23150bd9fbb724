/** From bytes to events, in a worker thread: what reads and decodes is loaded there and not here. */
import type { Worker } from 'node:worker_threads';
import { InputError } from '../core/errors.ts';
import type { Input } from '../core/input.ts';
import type { EventBatch } from '../events/batch.ts';
import type { PackedSegment } from '../store/segments.ts';
import type { RecordLines, RecordText } from '../store/texts.ts';
import type { DecodeOptions } from '../tracepoints/decode.ts';
import type { WorkerMessage, WorkerStart } from './ingest-worker.ts';
import type { FactsDelta, IngestProgress } from './input-facts.ts';
import { readingThread } from './reading-thread.ts';

/** How to read one input. */
export interface IngestOptions {
  readonly decode?: DecodeOptions;
  /** Hand over the records as they were written, too: a case is made. */
  readonly texts?: boolean;
}

/** The next events of a trace, and what became known of it. The last message may have no events. */
export interface Ingested {
  /** There until the next message is asked for, as are texts and segments: whoever keeps them copies them. */
  readonly events: EventBatch;
  readonly facts: FactsDelta;
  /** Records read since the message before, which may state later events; whoever records those that are not packed packs them. */
  readonly texts: ReadonlyArray<RecordLines | RecordText>;
  /** The events packed for a case; null: whoever records them packs them. */
  readonly segments: readonly PackedSegment[] | null;
  readonly progress: IngestProgress;
  /** Nothing follows. */
  readonly last: boolean;
}

/** Batches that the worker may be ahead of the fold: one being folded, one waiting, one being made, one spare. */
export const LOOK_AHEAD = 4;

/** Reads an input in a worker thread. Throws InputError. */
export async function* ingest(input: Input, options: IngestOptions = {}): AsyncGenerator<Ingested> {
  const start: WorkerStart = { input, options };
  const worker = readingThread();
  const inbox = new Inbox(worker);
  worker.postMessage(start);
  try {
    for (;;) {
      const message = await inbox.next();
      if (message.kind === 'input error') throw new InputError(message.text);
      yield message.ingested;
      if (message.ingested.last) return;
      worker.postMessage('consumed');
    }
  } finally {
    // Not awaited: a thread that is just ending by itself may never answer (seen on Node 20).
    worker.unref();
    void worker.terminate();
  }
}

/** Messages of a worker in order; its end without a last message is an error. */
class Inbox {
  readonly #messages: WorkerMessage[] = [];
  #failure: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(worker: Worker) {
    worker.on('message', (message: WorkerMessage) => {
      this.#messages.push(message);
      this.#notify();
    });
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.#fail(new Error(`the reading thread ended early with code ${code}`)));
  }

  async next(): Promise<WorkerMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
