import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ROW_CUT } from '../../src/core/records.ts';
import { read } from './read.ts';

/** `printf 'a-1 [000] 1.000000: e: x=1\n' | zstd` and `| xz`. */
const TEXT = 'a-1 [000] 1.000000: e: x=1\n';
const ZSTD = 'KLUv/QRY2QAAYS0xIFswMDBdIDEuMDAwMDAwOiBlOiB4PTEKkIJPFA==';
const XZ =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAaYS0xIFswMDBdIDEuMDAwMDAwOiBlOiB4PTEKAABCOQx+doN0WwABMxv3GYheH7bzfQEAAAAABFla';

describe('text under compression', () => {
  test.each([
    ['zstd', ZSTD],
    ['xz', XZ],
  ])('%s', async (_kind, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    const { rows } = await read(bytes, 7);
    expect(rows.map(({ text }) => text)).toEqual(['', 'x=1']);
    const cut = bytes.subarray(0, bytes.length >> 1);
    await expect(read(cut)).rejects.toThrow(/ends in the middle/);
  });

  test('data that inflates beyond all measure ends there, and says so', async () => {
    const start = Buffer.from(TEXT.repeat(4));
    const { trace, rows } = await read(
      gzipSync(Buffer.concat([start, Buffer.alloc(200 << 20)]), { level: 9 }),
    );
    expect(rows.at(-1)?.row).toBe(ROW_CUT);
    expect(trace.facts.truncated).toMatch(/inflates to more than 400 times its size/);
  });
});

/** An entry of a tar archive (POSIX.1-1988). */
function tarEntry(name: string, contents: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(contents.length.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar', 257);
  return Buffer.concat([header, Buffer.from(contents), Buffer.alloc((512 - (contents.length % 512)) % 512)]);
}

describe('a tar archive', () => {
  const trace = TEXT.repeat(100);
  const end = Buffer.alloc(1024);

  test('gives its first trace, whatever stands before it', async () => {
    const archive = Buffer.concat([
      tarEntry('sos/', '', '5'),
      tarEntry('sos/version.txt', 'sos 4\n'),
      tarEntry('sos/a.json', '{"a":1}\n'),
      tarEntry('././@LongLink', `${'long/'.repeat(30)}trace\0`, 'L'),
      tarEntry('long/', trace),
      tarEntry('sos/other', TEXT),
      end,
    ]);
    const { trace: read1, rows } = await read(gzipSync(archive), 700);
    expect(rows.length).toBe(101);
    expect(read1.source.label).toBe(`standard input: ${'long/'.repeat(30)}trace`);
  });

  test('without a trace is refused', async () => {
    const archive = Buffer.concat([tarEntry('a', 'int main;\n'), end]);
    await expect(read(archive)).rejects.toThrow(/is a tar archive without a trace/);
  });

  test('that is cut in its trace ends the trace', async () => {
    const archive = tarEntry('trace', trace);
    const { trace: cut } = await read(archive.subarray(0, 512 + 1000));
    expect(cut.facts.truncated).toMatch(/the last line has no end/);
  });
});
