import { describe, expect, test } from 'vitest';
import { LineWriter } from '../../src/core/line-writer.ts';
import { ROW_RECORD } from '../../src/core/records.ts';
import { kernelStrings } from '../../src/readers/binary-events.ts';
import { LinePrinter } from '../../src/replay/record-texts.ts';
import { Bytes, type DatFile, datV7, type Format, type Machine, X86 } from './dat.ts';
import { openBytes } from './read.ts';

const FIELDS = ['unsigned int a;offset:8;size:4;signed:0;', 'int b;offset:12;size:4;signed:1;'];
const BIG_32: Machine = { little: false, longSize: 4, pageSize: 4096 };

function file(print: string, more: Partial<DatFile> = {}, fields = FIELDS): Buffer {
  const machine = more.machine ?? X86;
  const format: Format = { system: 'x', name: 'x', id: 500, fields, print };
  const data = new Bytes(machine).u16(500).u8(0).u8(0).u32(7).u32(0xffffffff).u32(0xfffffffe).bytes();
  const cpus = [[{ ts: 1000n, entries: [{ delta: 0, data }] }]];
  return datV7({ formats: [format], clock: 'mono', cpus, ...more, machine });
}

/** The payload of the first record. */
async function payload(bytes: Buffer): Promise<string> {
  const trace = await openBytes(bytes);
  const out = new LineWriter();
  for await (const batch of trace.batches()) trace.printRecord?.(batch, batch.row.indexOf(ROW_RECORD), out);
  return out.toString();
}

/** The lines of all records. */
async function lines(bytes: Buffer): Promise<string> {
  const trace = await openBytes(bytes);
  const printer = new LinePrinter(trace);
  let text = '';
  for await (const batch of trace.batches())
    for (const each of printer.print(batch)) text += Buffer.from(each.lines).toString('utf8');
  return text;
}

describe('numbers are printed as the kernel prints them', () => {
  test.each([
    ['"%d %u %lld %llu", REC->a, REC->a, REC->a, REC->b', '-1 4294967295 4294967295 18446744073709551614'],
    // A cast to another sign, then to more bits.
    ['"%lld", (unsigned long)((int)(REC->a))', '-1'],
    ['"%lld", (long)(unsigned int)REC->b', '4294967294'],
    ['"%+d %+d", REC->b, 1', '-2 +1'],
    ['"%#x %#p", REC->a, REC->a', '0xffffffff 00000000ffffffff'],
  ])('%s', async (print, text) => {
    expect(await payload(file(print))).toBe(`x: ${text}`);
  });

  test('a long of 32 bits', async () => {
    const print = '"%llu %lu", (unsigned long)REC->b, REC->b';
    expect(await payload(file(print, { machine: BIG_32 }))).toBe('x: 4294967294 4294967294');
  });

  test('fields that the record does not have', async () => {
    const gone = FIELDS.map((field) => field.replace(/offset:\d+/, 'offset:40'));
    expect(await payload(file('"%d %#x %p", REC->a, REC->a, REC->b', {}, gone))).toBe(
      'x: 0 0x0 0000000000000000',
    );
  });
});

describe('texts', () => {
  test('of UTF-8 stay so', async () => {
    const fields = ['char a[8];offset:8;size:8;signed:0;'];
    const data = new Bytes().u16(500).u8(0).u8(0).u32(7).text('\xc3\xa9\xc3\xa9\0\0\0\0').bytes();
    const cpus = [[{ ts: 1n, entries: [{ delta: 0, data }] }]];
    expect(await payload(file('"\xc3\xa9 %s", REC->a', { cpus }, fields))).toBe('x: é éé');
  });

  test('are no longer than a kernel can print', async () => {
    const long = '%s'.repeat(1000);
    const args = `, "${'y'.repeat(40)}"`.repeat(1000);
    expect((await payload(file(`"${long}"${args}`))).length).toBeLessThan(8200);
  });

  test.each([
    ['a choice of choices', `${'('.repeat(70)}REC->a${'?:1)'.repeat(70)}`],
    ['a tower of sums', `${'('.repeat(70)}REC->a${`${'+1'.repeat(400)})`.repeat(70)}`],
  ])('whose format is %s are not read', async (_name, of) => {
    expect(await payload(file(`"%d", ${of}`))).toBe('x: ');
  });
});

describe('in front of a record', () => {
  const stamp = async (offset: string, more: Partial<DatFile> = {}): Promise<string> => {
    const text = await lines(file('"y"', { options: [[7, Buffer.from(offset)]], ...more }));
    return / (\S+): x: y\n$/.exec(text)?.[1] ?? text;
  };

  test.each([
    ['0', '0.000001000'],
    ['-1005', '-0.000000005'],
    ['-9000000005', '-8.999999005'],
    ['9223372036854775807', '9223372036.854776807'],
    // No 64-bit number: not taken.
    ['9'.repeat(400), '0.000001000'],
  ])('stands its time, with an offset of %s ns', async (offset, text) => {
    expect(await stamp(offset)).toBe(text);
  });

  test('ticks may be below zero, and more than 64 bits of nanoseconds', async () => {
    expect(await stamp('-1005', { clock: 'counter' })).toBe('-0000000005');
    const option = new Bytes().u32(0xffffffff).u32(0).u64(0).bytes();
    const cpus = [
      [{ ts: 1n << 63n, entries: [{ delta: 0, data: Buffer.from([0xf4, 1, 0, 0, 0, 0, 0, 0]) }] }],
    ];
    expect(await stamp('0', { clock: 'x86-tsc', options: [[14, option]], cpus })).toBe(
      '39614081247908796759.917199360',
    );
  });

  test('stands its task: names are short, and lines without one are passed over', async () => {
    const cmdlines = `${'1\n'.repeat(50_000)}7 ${'z'.repeat(100_000)}\n`;
    expect(await lines(file('"y"', { cmdlines }))).toMatch(/^z{64}-7 {7}\[000\] /);
  });
});

test('what is read of a header does not take longer than the header is long', async () => {
  const blank = '\n'.repeat(200_000);
  const start = performance.now();
  const format = { system: 'x', name: `x${blank}y`, id: 501, fields: FIELDS, print: '' };
  const good = {
    system: 'x',
    name: 'x',
    id: 500,
    fields: FIELDS,
    print: `"${'k'.repeat(60_000)}%d", REC->a`,
  };
  kernelStrings(blank);
  await lines(file('', { formats: [format, good], uname: `L n 6.12 ${'x'.repeat(200_000)} ` }));
  expect(performance.now() - start).toBeLessThan(2000);
});

test('a page whose records stand at no multiple of four is refused', async () => {
  const bytes = file('"y"');
  const at = bytes.indexOf('data;\toffset:16') + 'data;\toffset:1'.length;
  bytes.write('7', at);
  await expect(lines(bytes)).rejects.toThrow(/damaged trace.dat: a page whose data begins at byte 17/);
});
