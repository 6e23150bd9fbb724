import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { unsqueezeText } from '../../src/store/compress.ts';
import { packText, recordIn } from '../../src/store/texts.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every `step`-th record of an input as a case holds it, and how many of its texts need no places. */
async function kept(
  text: string,
  step = 1,
): Promise<{ records: string[]; withoutPlaces: number; texts: number }> {
  const path = join(folder, 'trace');
  writeFileSync(path, text);
  const records: string[] = [];
  let withoutPlaces = 0;
  let texts = 0;
  let next = 1;
  for await (const message of ingestHere(path, { texts: true })) {
    for (const { firstRecord, lastRecord, places, text: packed } of message.texts.map(packText)) {
      texts++;
      if (places.length === 0) withoutPlaces++;
      expect(firstRecord).toBe(next);
      next = lastRecord + 1;
      const bytes = unsqueezeText(packed);
      for (let record = firstRecord; record < next; record++)
        if ((record - 1) % step === 0) records.push(recordIn(bytes, places, record - firstRecord));
    }
  }
  return { records, withoutPlaces, texts };
}

const HEADER = '# tracer: nop\n#\n';
const line = (n: number, what = 'sched_process_exit: comm=a pid=7 prio=120'): string =>
  `            task-${String(n % 90).padEnd(7)} [000] .....     1.${String(n).padStart(6, '0')}: ${what}`;
const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => line(i));

describe('a case holds records as they were written', () => {
  test('where each line is a record, places are told for the first text only, which has the header', async () => {
    // Several blocks of the reader: a record that crosses from one to the next stands in one text.
    const written = lines(30_000);
    const { records, withoutPlaces, texts } = await kept(`${HEADER}${written.join('\n')}\n`, 37);
    expect(records).toEqual(written.filter((_, i) => i % 37 === 0));
    expect(texts).toBeGreaterThan(2);
    expect(withoutPlaces).toBe(texts - 1);
  });

  test('with lines between them that are none', async () => {
    const written = lines(300);
    const mixed = written.flatMap((text, i) =>
      i % 50 === 7 ? ['', ' => do_anonymous_page', 'what is this', text] : [text],
    );
    expect((await kept(`${HEADER}${mixed.join('\n')}\n`)).records).toEqual(written);
  });

  test('with lines that end in CR LF, and without a last line that was cut', async () => {
    const written = lines(50);
    expect((await kept(`${written.join('\r\n')}\r\n`)).records).toEqual(written);
    expect((await kept(written.join('\n'))).records).toEqual(written.slice(0, -1));
  });

  test('that go over several lines', async () => {
    const marker = line(3, 'tracing_mark_write: first\nsecond\nthird');
    const written = [line(1), line(2), marker, line(4)];
    expect((await kept(`${HEADER}${written.join('\n')}\n`)).records).toEqual(written);
  });

  test('that begin where their line does', async () => {
    const written = [1, 2, 3].map((seq) =>
      JSON.stringify({ seq, event: 'task.exit', ns: seq, cpu: 0, pid: 7, args: { pid: 7 } }),
    );
    expect((await kept(`${written.join('\n')}\n`)).records).toEqual(written);
  });
});
