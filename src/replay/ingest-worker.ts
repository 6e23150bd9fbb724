/** What runs in the thread that reads and decodes: it waits for an input, and ends when the input does. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { InputError } from '../core/errors.ts';
import type { Input } from '../core/input.ts';
import { type Ingested, type IngestOptions, LOOK_AHEAD } from './ingest.ts';
import { ingestHere } from './ingest-here.ts';

/** The first message to the thread; every further one says that a message of its own was consumed. */
export interface WorkerStart {
  readonly input: Input;
  readonly options: IngestOptions;
}

/** What the thread says. Any other error ends it, and arrives as such. */
export type WorkerMessage =
  | { readonly kind: 'ingested'; readonly ingested: Ingested }
  | { readonly kind: 'input error'; readonly text: string };

function buffersOf({ events, texts }: Ingested): ArrayBuffer[] {
  return [
    ...[events.kind, events.at, events.args, events.ns, events.cpu, events.pid, events.ctx, events.record],
    ...texts.flatMap((text) => [text.places, text.text]),
  ].map((column) => column.buffer as ArrayBuffer);
}

/** Sends messages as long as the other side keeps up. */
async function run(port: NonNullable<typeof parentPort>, start: WorkerStart): Promise<void> {
  let credit = LOOK_AHEAD;
  let wake: (() => void) | null = null;
  port.on('message', () => {
    credit++;
    wake?.();
  });
  try {
    for await (const ingested of ingestHere(start.input, start.options)) {
      while (credit === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      credit--;
      const message: WorkerMessage = { kind: 'ingested', ingested };
      port.postMessage(message, buffersOf(ingested));
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
