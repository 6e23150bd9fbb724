import { Line } from '../core/line.ts';
import { eventOf } from '../events/json-lines.ts';
import { encodeEvent, writeEvent } from '../events/json-write.ts';
import { type Subject, subjectOf } from '../events/row.ts';
import type { Ingested } from '../replay/ingest.ts';
import { entryOrNull, hexOrNull } from '../report/format.ts';
import { csvLine } from '../report/rows.ts';
import type { AnyCommand } from './command.ts';
import { UsageError } from './exit.ts';
import { declareTraceOptions, textOption } from './options.ts';
import { decodeOptions, inputOf } from './trace-options.ts';

const COLUMNS = [
  'seq',
  'ns',
  'cpu',
  'pid',
  'comm',
  'event',
  'record',
  'pfn',
  'mm',
  'address',
  'entry',
  'args',
];

/** How the events of a message are written. */
type Writer = (message: Ingested, comms: ReadonlyMap<number, string>) => string;

function jsonLines({ events }: Ingested): string {
  const line = new Line();
  let text = '';
  for (let i = 0; i < events.count; i++) {
    writeEvent(line, events, i, events.firstSeq + i);
    if (line.full) text += line.take();
  }
  return text + line.take();
}

function csvLines({ events, facts }: Ingested, comms: ReadonlyMap<number, string>): string {
  const subject: Subject = { pfn: 0, mm: 0, address: 0, entry: 0 };
  let text = '';
  for (let i = 0; i < events.count; i++) {
    const event = eventOf(events, i);
    subjectOf(events, i, subject);
    const { args } = JSON.parse(encodeEvent(event)) as { args: unknown };
    text += csvLine([
      events.firstSeq + i,
      facts.originNs + BigInt(event.ns),
      event.cpu,
      event.pid,
      comms.get(event.pid),
      event.kind.name,
      events.record[i],
      hexOrNull(subject.pfn),
      hexOrNull(subject.mm),
      hexOrNull(subject.address),
      entryOrNull(subject.entry),
      JSON.stringify(args),
    ]);
  }
  return text;
}

const FORMATS: Readonly<Record<string, Writer>> = { jsonl: jsonLines, csv: csvLines };

/** `faultline export`: the events of a case or a trace, for other programs. */
export const exportCommand: AnyCommand = {
  declare(command) {
    command.argument('<case|trace...>', 'the case, or a trace; - is standard input');
    command.option('--format <format>', `${Object.keys(FORMATS).join(' or ')}`, 'jsonl');
    declareTraceOptions(command);
  },

  async *render(context, operands, options) {
    const input = inputOf(operands, options);
    const format = textOption(options, 'format') ?? 'jsonl';
    const write = FORMATS[format];
    if (write === undefined)
      throw new UsageError(`--format takes ${Object.keys(FORMATS).join(' or ')}, not '${format}'`);
    const comms = new Map<number, string>();
    if (format === 'csv') yield csvLine(COLUMNS);
    for await (const message of context.events(input, { decode: decodeOptions(options) })) {
      for (const { pid, comm } of message.facts.changedTasks) comms.set(pid, comm);
      yield write(message, comms);
    }
  },
};
