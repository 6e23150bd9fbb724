import { InputError } from '../core/errors.ts';
import type { FieldValues } from '../core/fields.ts';
import { EVENT_LINE_NAME } from '../core/records.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { decodeEvent, EventLineError, type LineEvent } from '../events/json-lines.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { type DecodeContext, type Tracepoint, tracepoint } from './tracepoint.ts';

const UTF8 = new TextDecoder();

/** Column of a fault in a line, from 1: where the parser stopped, or the key that is wrong. */
function columnOf(text: string, error: SyntaxError | EventLineError): number {
  if (error instanceof EventLineError) return Math.max(0, text.indexOf(`"${error.key}"`)) + 1;
  const position = /position (\d+)/.exec(error.message)?.[1];
  return position === undefined ? text.length + 1 : Number(position) + 1;
}

function parse(text: string, ctx: DecodeContext): LineEvent {
  try {
    return decodeEvent(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof EventLineError)) throw error;
    const what = error instanceof EventLineError ? error.message : 'no JSON';
    throw new InputError(`${ctx.label}: line ${ctx.record}, column ${columnOf(text, error)}: ${what}`);
  }
}

/** A line that states an event, with its own time, CPU and task. */
export const eventLine: Tracepoint = tracepoint(
  EVENT_LINE_NAME,
  EVENT_KINDS,
  [{ key: '@text', form: 'bytes' }],
  (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
    const {
      kind,
      ns,
      cpu,
      pid,
      ctx: context,
      args,
    } = parse(UTF8.decode(values.bytes.subarray(values.start[0]!, values.end[0]!)), ctx);
    out.record(ns, cpu, pid, context, ctx.record);
    out.emit(kind, args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7]);
  },
);
