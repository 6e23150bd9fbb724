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
