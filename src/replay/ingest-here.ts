import type { Input } from '../core/input.ts';
import { EventBatchBuilder } from '../events/batch.ts';
import type { OpenOptions } from '../readers/open.ts';
import { openInput } from '../readers/together.ts';
import { packText, type RecordLines, type RecordText } from '../store/texts.ts';
import { TraceDecoder } from '../tracepoints/decode.ts';
import type { Ingested, IngestOptions } from './ingest.ts';
import { factsDelta } from './input-facts.ts';
import { LinePrinter, textsOf } from './record-texts.ts';

/** How messages are handed to another thread. */
interface Handing {
  /** Messages whose events are there at a time. */
  readonly ring?: number;
  /** Takes text that is not to be packed in this thread: a copy of it, or null. */
  readonly keep?: (lines: Uint8Array) => Uint8Array | null;
}

/**
 * From bytes to events: reading, decompressing and decoding an input in this thread. The same as `ingest`, which does
 * so in another one. With a `ring` the events of a message are there until so many less one have followed
 * (EventBatchBuilder). Throws InputError.
 */
export async function* ingestHere(
  input: Input,
  options: IngestOptions & OpenOptions & Handing = {},
): AsyncGenerator<Ingested> {
  const trace = await openInput(input, options);
  const decoder = new TraceDecoder(trace.names, (name, specs) => trace.extractor(name, specs), {
    ...options.decode,
    header: { kernel: trace.facts.kernel, arch: trace.facts.arch },
    label: trace.source.label,
  });
  const out = new EventBatchBuilder(1, options.ring);
  const keepsTexts = options.texts === true && trace.lines === true;
  const printer = options.texts === true && trace.printRecord !== undefined ? new LinePrinter(trace) : null;
  let texts: Array<RecordLines | RecordText> = [];
  const addTexts = (added: readonly RecordLines[]): void => {
    for (const records of added) {
      const lines = options.keep?.(records.lines) ?? null;
      texts.push(lines === null ? packText(records) : { ...records, lines });
    }
  };
  const takeTexts = (): typeof texts => {
    const taken = texts;
    texts = [];
    return taken;
  };
  const message = (last: boolean): Ingested => {
    const events = out.take();
    return {
      events,
      texts: takeTexts(),
      segments: null,
      facts: factsDelta(trace, decoder, last),
      progress: {
        records: trace.facts.records,
        bytes: trace.source.consumed,
        totalBytes: trace.source.size,
      },
      last,
    };
  };
  for await (const batch of trace.batches()) {
    decoder.push(batch, out);
    if (keepsTexts) addTexts(textsOf(batch));
    else if (printer !== null) addTexts(printer.print(batch));
    if (!decoder.holds) trace.recycle?.(batch);
    if (out.full || (trace.source.live && out.count > 0)) yield message(false);
  }
  decoder.finish(out);
  yield message(true);
}
