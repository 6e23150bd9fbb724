import { createFieldValues, type FieldSpec } from '../../src/core/fields.ts';
import type { RecordBatch } from '../../src/core/records.ts';
import { type OpenTrace, openTrace } from '../../src/readers/open.ts';

/** One row as a test sees it. */
export interface Row {
  readonly row: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly ctx: number;
  readonly name: string;
  readonly record: number;
  readonly text: string;
  readonly aux: number;
}

/** Cuts bytes into pieces. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Opens bytes as if they came through a pipe, in pieces of `size`. */
export function openBytes(bytes: Uint8Array, size = Number.POSITIVE_INFINITY): Promise<OpenTrace> {
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield* pieces(bytes, Math.min(size, bytes.length));
  }
  return openTrace('-', { stdin: stdin() });
}

export function rowsOf(trace: OpenTrace, batch: RecordBatch): Row[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    row: batch.row[i]!,
    ns: batch.ns[i]!,
    cpu: batch.cpu[i]!,
    pid: batch.pid[i]!,
    ctx: batch.ctx[i]!,
    name: trace.names.names[batch.name[i]!] ?? '',
    record: batch.record[i]!,
    text: Buffer.from(batch.bytes.subarray(batch.start[i]!, batch.end[i]!)).toString('latin1'),
    aux: batch.aux[i]!,
  }));
}

/** All rows of a text or of bytes. */
export async function read(
  input: string | Uint8Array,
  size?: number,
): Promise<{ trace: OpenTrace; rows: Row[] }> {
  const trace = await openBytes(typeof input === 'string' ? Buffer.from(input, 'latin1') : input, size);
  const rows: Row[] = [];
  for await (const batch of trace.batches()) rows.push(...rowsOf(trace, batch));
  return { trace, rows };
}

/** Comm, pid and so on as tracefs prints them, with the TGID column left out. */
export function line(comm: string, pid: number, text: string, stamp = '    1.000000', cpu = 0): string {
  return `${comm.padStart(16)}-${String(pid).padEnd(7)} [${String(cpu).padStart(3, '0')}] ..... ${stamp}: ${text}\n`;
}

/** The values of some fields of one payload, as `state:value`. */
export async function fieldsOf(
  event: string,
  payload: string,
  specs: readonly FieldSpec[],
): Promise<readonly string[]> {
  const separator = event.endsWith('->') ? ' ' : payload.startsWith('sys(') ? '' : ': ';
  const text = line('t', 1, `${event.replace('->', ' ->')}${separator}${payload}`);
  const trace = await openBytes(Buffer.from(text, 'latin1'));
  for await (const batch of trace.batches()) {
    const row = batch.row.indexOf(0, 1);
    const extract = trace.extractor(batch.name[row]!, specs);
    const values = createFieldValues(specs.length);
    extract(batch, row, values);
    return specs.map((spec, i) => fieldText(spec, values, i));
  }
  return [];
}

const STATES = ['absent', 'ok', 'hashed', 'unreadable'];

/** A field as text: its state, and its value where it has one. */
export function fieldText(spec: FieldSpec, values: ReturnType<typeof createFieldValues>, i: number): string {
  const state = STATES[values.state[i]!]!;
  if (state !== 'ok') return state;
  if (spec.form === 'bytes') {
    return `"${Buffer.from(values.bytes.subarray(values.start[i]!, values.end[i]!)).toString('latin1')}"`;
  }
  return ((BigInt(values.hi[i]!) << 32n) | BigInt(values.lo[i]! >>> 0)).toString();
}
