import { describe, expect, test } from 'vitest';
import { ROW_CPU_STARTED, ROW_CUT, ROW_LOST, ROW_SEGMENT } from '../../src/core/records.ts';
import { EventBatchBuilder } from '../../src/events/batch.ts';
import { EVENT_KINDS } from '../../src/events/registry.ts';
import { textExtractor } from '../../src/readers/text-fields.ts';
import { TraceDecoder } from '../../src/tracepoints/decode.ts';
import { TRACEPOINTS, tracepointsOf } from '../../src/tracepoints/index.ts';
import { LESSONS } from '../../src/tracepoints/learn.ts';
import { decodeAll, MACHINE, Names, recordsOf } from './decoding.ts';

const WORK = `mm_page_alloc: page=ffffea000404ef80 pfn=0x1013be order=0
some_driver_event: a=1 b=2
mm_page_free: page=ffffea000404ef80 pfn=0x1013be order=0
kfree: call_site=ida_alloc_range+0x3d2/0x480 ptr=0000000000000000
some_driver_event: a=3 b=4`;

function start(hold?: number) {
  const names = new Names();
  const options = hold === undefined ? MACHINE : { hold };
  const decoder = new TraceDecoder(names, (id, specs) => textExtractor(names.names[id]!, specs), options);
  return { names, decoder, out: new EventBatchBuilder() };
}

describe('decoding a trace', () => {
  test('unknown events are counted by name, known ones that state nothing are not among them', () => {
    const { decoder, events } = decodeAll(WORK);
    expect(events).toEqual(['page.alloc pfn=0x1013be order=0', 'page.free pfn=0x1013be order=0']);
    expect([...decoder.unknownEvents]).toEqual([['some_driver_event', 2]]);
    expect(Object.fromEntries(decoder.histogram)).toEqual({
      mm_page_alloc: 1,
      some_driver_event: 2,
      mm_page_free: 1,
      kfree: 1,
    });
  });

  test('a record whose fields fit no declaration of its name is counted', () => {
    const { events, facts } = decodeAll('pte_set: (something+0x0/0x10) x=1');
    expect(events).toEqual([]);
    expect([...facts.undecoded]).toEqual([['pte_set', 1]]);
  });

  test('events carry the header of their record', () => {
    const { names, decoder, out } = start();
    decoder.push(recordsOf(`7> lru_drain: (lru_add_drain+0x4/0x40)\n${WORK}`, names), out);
    decoder.finish(out);
    const batch = out.take();
    expect(batch.count).toBe(3);
    expect([...batch.pid]).toEqual([7, 100, 100]);
    expect([...batch.record]).toEqual([1, 2, 4]);
    expect([...batch.ns]).toEqual([0, 1000, 3000]);
  });

  test('rows that are no record become trace events, and forget entries that wait for a return', () => {
    const { names, decoder, out } = start();
    const rows = recordsOf(
      `mm_page_free: pfn=0x1 order=0
mm_page_free: pfn=0x1 order=0
mm_page_free: pfn=0x1 order=0
si_get_in: (get_swap_device+0x0/0x120) ent=0x2
mm_page_free: pfn=0x1 order=0
si_get: (do_swap_page+0xa0/0x9f0 <- get_swap_device) si=0x0`,
      names,
    );
    rows.row.set([ROW_SEGMENT, ROW_CPU_STARTED, ROW_CUT], 0);
    rows.row[4] = ROW_LOST;
    rows.aux.set([12, 0, 0, 0, 34]);
    rows.cpu[4] = 2;
    decoder.push(rows, out);
    decoder.finish(out);
    const batch = out.take();
    expect(Array.from(batch.kind, (code) => EVENT_KINDS[code]!.name)).toEqual([
      'trace.segment',
      'trace.cpu-started',
      'trace.cut',
      'si.get',
      'trace.lost',
      'si.got',
    ]);
    expect([...batch.args.subarray(batch.at[4]!, batch.at[4]! + 2)]).toEqual([2, 34]);
    // The entry of the return was forgotten: which slot was asked for is unknown.
    expect(batch.args[batch.at[5]!]).toBeNaN();
    expect([...decoder.facts.orphanReturns]).toEqual([['si_get', 1]]);
  });

  test('batches are held back until the machine is known, then decoded in order', () => {
    const { names, decoder, out } = start(1000);
    decoder.push(recordsOf('folio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80', names), out);
    expect(out.count).toBe(0);
    const pages = [1, 2, 3].map(
      (pfn) => `mm_page_free: page=ffffea00000000${(pfn * 64).toString(16)} pfn=0x${pfn} order=0`,
    );
    decoder.push(recordsOf(pages.join('\n'), names), out);
    decoder.finish(out);
    const batch = out.take();
    expect([...batch.args.subarray(batch.at[0]!, batch.at[0]! + 1)]).toEqual([0x1dba]);
  });

  test('the size of batches changes nothing', () => {
    const pages = [1, 2, 3, 4].map(
      (pfn) =>
        `mm_page_free: page=ffffea00000000${(pfn * 64).toString(16).padStart(2, '0')} pfn=0x${pfn} order=0`,
    );
    const put = 'folio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80';
    const lines = pages.flatMap((line) => [put, line]).concat(put);
    const decodeBy = (size: number, hold: number): number[][] => {
      const { names, decoder, out } = start(hold);
      for (let at = 0; at < lines.length; at += size) {
        decoder.push(recordsOf(lines.slice(at, at + size).join('\n'), names), out);
      }
      decoder.finish(out);
      const batch = out.take();
      return [[...batch.kind], Array.from(batch.at, (at) => batch.args[at]!)];
    };
    for (const hold of [1, 3, 4, 100]) {
      for (const size of [2, 3, 5]) expect(decodeBy(size, hold)).toEqual(decodeBy(1, hold));
    }
  });

  test('not longer than told: what is learned later holds from then on', () => {
    const { names, decoder, out } = start(1);
    decoder.push(recordsOf('folio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80', names), out);
    expect(out.count).toBe(1);
    const pages = [1, 2, 3].map(
      (pfn) => `mm_page_free: page=ffffea00000000${(pfn * 64).toString(16)} pfn=0x${pfn} order=0`,
    );
    decoder.push(
      recordsOf(`${pages.join('\n')}\nfolio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80`, names),
      out,
    );
    const batch = out.take();
    expect(batch.args[batch.at[0]!]).toBeNaN();
    expect(batch.args[batch.at[4]!]).toBe(0x1dba);
  });
});

describe('the registry', () => {
  test('an event declared twice is told apart, and the last may fit everything', () => {
    for (const { event } of TRACEPOINTS) {
      const candidates = tracepointsOf(event);
      for (const { requires, readable, lacks } of candidates.slice(0, -1)) {
        expect(requires.length + readable.length + lacks.length, event).toBeGreaterThan(0);
      }
    }
  });

  test('lessons are learned from events that are declared', () => {
    const events = new Set(TRACEPOINTS.map(({ event }) => event));
    for (const { event } of LESSONS) expect(events.has(event), event).toBe(true);
  });
});
