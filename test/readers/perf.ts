/** Builds perf.data files byte by byte (tools/perf/Documentation/perf.data-file-format.txt). */
import { Bytes, type Format, formatText, type Machine, X86 } from './dat.ts';

/** A sample of a tracepoint. */
export interface Sample {
  readonly time: bigint;
  readonly cpu?: number;
  readonly pid?: number;
  readonly tid?: number;
  readonly data: Uint8Array;
  readonly chain?: readonly bigint[];
}

/** IDENTIFIER, RAW, CALLCHAIN, CPU, TIME, TID and IP. */
const SAMPLE_TYPE = 0x10000 | 0x400 | 0x80 | 0x20 | 0x4 | 0x2 | 0x1;
const SAMPLE_ID_ALL = 1 << 18;

/** One record by its type. */
export function recordBytes(machine: Machine, type: number, body: Buffer): Buffer {
  return new Bytes(machine)
    .u32(type)
    .u16(0)
    .u16(8 + body.length)
    .raw(body)
    .bytes();
}

export function sampleBytes(machine: Machine, id: bigint, sample: Sample): Buffer {
  const { time, cpu = 0, pid = 7, tid = pid, data, chain = [] } = sample;
  const body = new Bytes(machine)
    .u64(id)
    .u64(0xffffffff81000000n)
    .u32(pid)
    .u32(tid)
    .u64(time)
    .u32(cpu)
    .u32(0);
  body.u64(chain.length);
  for (const address of chain) body.u64(address);
  // The size of the raw data leaves the end of the sample on a multiple of 8.
  const padded = data.length + ((12 - (data.length % 8)) % 8);
  body
    .u32(padded)
    .raw(data)
    .raw(Buffer.alloc(padded - data.length));
  return recordBytes(machine, 9, body.bytes());
}

export function commBytes(machine: Machine, pid: number, tid: number, comm: string): Buffer {
  return recordBytes(machine, 3, new Bytes(machine).u32(pid).u32(tid).string(comm).align(8).bytes());
}

/** PERF_RECORD_LOST with the trailer of sample_id_all: thread, time, CPU, id. */
export function lostBytes(machine: Machine, id: bigint, count: number, time: bigint, cpu: number): Buffer {
  const body = new Bytes(machine).u64(id).u64(count).u32(0).u32(0).u64(time).u32(cpu).u32(0).u64(id);
  return recordBytes(machine, 2, body.bytes());
}

export function roundBytes(machine: Machine): Buffer {
  return recordBytes(machine, 68, Buffer.alloc(0));
}

function tracingData(machine: Machine, formats: readonly Format[]): Buffer {
  const bytes = new Bytes(machine)
    .raw(Buffer.from([0x17, 0x08, 0x44]))
    .text('tracing')
    .string('0.6')
    .u8(machine.little ? 0 : 1)
    .u8(machine.longSize)
    .u32(machine.pageSize)
    .string('header_page')
    .u64(0)
    .string('header_event')
    .u64(0)
    .u32(0)
    .u32(formats.length);
  for (const format of formats) {
    const text = formatText(format);
    bytes.string(format.system).u32(1).u64(text.length).text(text);
  }
  return bytes.u32(0).u32(0).u64(0).bytes();
}

/** A zstd stream that stores bytes as they are: a piece for each of them, the first with the head of the frame. */
export function zstdStored(pieces: readonly Buffer[]): Buffer[] {
  const HEAD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  return pieces.map((piece, i) => {
    const block = Buffer.alloc(3);
    block.writeUIntLE(piece.length << 3, 0, 3);
    return Buffer.concat([...(i === 0 ? [HEAD] : []), block, piece]);
  });
}

/** PERF_RECORD_COMPRESSED, or COMPRESSED2, which is padded to eight bytes and has the true size in front. */
export function compressedBytes(machine: Machine, type: 81 | 83, piece: Buffer): Buffer {
  if (type === 81) return recordBytes(machine, type, piece);
  return recordBytes(machine, type, new Bytes(machine).u64(piece.length).raw(piece).align(8).bytes());
}

/** A file with these records; the event of format `i` has id `i + 1`. */
export function perfFile(
  formats: readonly Format[],
  records: readonly Buffer[],
  machine: Machine = X86,
  compressed = false,
): Buffer {
  const attrSize = 128 + 16;
  const idsAt = 104;
  const attrsAt = idsAt + 8 * formats.length;
  const dataAt = attrsAt + attrSize * formats.length;
  const data = Buffer.concat(records);
  const out = new Bytes(machine)
    .text(machine.little ? 'PERFILE2' : '2ELIFREP')
    .u64(104)
    .u64(attrSize)
    .u64(attrsAt)
    .u64(attrSize * formats.length)
    .u64(dataAt)
    .u64(data.length)
    .u64(0)
    .u64(0)
    .u64((1 << 1) | (1 << 4) | (1 << 6) | (compressed ? 1 << 27 : 0))
    .u64(0)
    .u64(0)
    .u64(0);
  for (const [i] of formats.entries()) out.u64(i + 1);
  for (const [i, { id }] of formats.entries()) {
    const attr = new Bytes(machine).u32(2).u32(128).u64(id).u64(1).u64(SAMPLE_TYPE).u64(0).u64(SAMPLE_ID_ALL);
    out
      .raw(attr.align(128).bytes())
      .u64(idsAt + 8 * i)
      .u64(8);
  }
  out.raw(data);
  const text = (value: string): Buffer =>
    new Bytes(machine)
      .u32(value.length + 1)
      .string(value)
      .bytes();
  const features = [tracingData(machine, formats), text('6.12.117'), text('x86_64')];
  if (compressed) features.push(new Bytes(machine).u32(1).u32(1).u32(1).u32(5).u32(0x20000).bytes());
  let at = out.length + 16 * features.length;
  for (const feature of features) {
    out.u64(at).u64(feature.length);
    at += feature.length;
  }
  for (const feature of features) out.raw(feature);
  return out.bytes();
}
