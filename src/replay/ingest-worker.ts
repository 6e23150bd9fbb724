/** What runs in the thread that reads and decodes: it waits for an input, and ends when the input does. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { InputError } from '../core/errors.ts';
import type { Input } from '../core/input.ts';
import { packBatch } from '../store/segments.ts';
import { type Ingested, type IngestOptions, LOOK_AHEAD } from './ingest.ts';
import { ingestHere } from './ingest-here.ts';
import { SharedBytes } from './shared-bytes.ts';

/** The first message to the thread; every further one says that a message of its own was consumed. */
export interface WorkerStart {
  readonly input: Input;
  readonly options: IngestOptions;
}

/** What the thread says. Any other error ends it, and arrives as such. */
export type WorkerMessage =
  | { readonly kind: 'ingested'; readonly ingested: Ingested }
  | { readonly kind: 'input error'; readonly text: string };

/**
 * Batches whose events are in use: those that the other side has, one that waits to be sent, and one that is being
 * filled. Their memory is shared and used in turn: handing over ever new buffers keeps both threads collecting garbage.
 */
const RING = LOOK_AHEAD + 2;
/** So many messages may be sent before the other side has to take one: it has one at most, and will soon wait. */
const IDLE = LOOK_AHEAD - 1;

/** A message whose packed bytes stand in shared memory. */
function shared(ingested: Ingested, memory: SharedBytes): Ingested {
  return {
    ...ingested,
    texts: ingested.texts.map((records) => {
      const places = memory.share(records.places);
      return 'text' in records
        ? { ...records, places, text: memory.share(records.text) }
        : { ...records, places };
    }),
    segments:
      ingested.segments?.map((segment) => ({ ...segment, columns: memory.share(segment.columns) })) ?? null,
  };
}

/** Sends messages as long as the other side keeps up. */
async function run(port: NonNullable<typeof parentPort>, start: WorkerStart): Promise<void> {
  let credit = LOOK_AHEAD;
  let wake: (() => void) | null = null;
  const memory = new SharedBytes(RING);
  port.on('message', () => {
    credit++;
    wake?.();
  });
  try {
    // Of the two threads the one that would wait packs what goes into a case.
    const keep = (lines: Uint8Array): Uint8Array | null => (credit >= IDLE ? memory.share(lines) : null);
    for await (let ingested of ingestHere(start.input, { ...start.options, ring: RING, keep })) {
      if (credit === 0 && start.options.texts === true)
        ingested = { ...ingested, segments: packBatch(ingested.events) };
      while (credit === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      credit--;
      const message: WorkerMessage = { kind: 'ingested', ingested: shared(ingested, memory) };
      port.postMessage(message);
      memory.next();
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const message: WorkerMessage = { kind: 'input error', text: error.message };
    port.postMessage(message);
  } finally {
    port.close();
  }
}

if (parentPort) {
  const [start] = (await once(parentPort, 'message')) as [WorkerStart];
  await run(parentPort, start);
}
