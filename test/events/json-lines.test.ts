import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryOf, PTE_KIND, PTE_MIGRATION, PTE_NONE, PTE_PRESENT, PTE_SWAP } from '../../src/core/pte.ts';
import { CTX_KNOWN } from '../../src/core/records.ts';
import { EventBatchBuilder } from '../../src/events/batch.ts';
import type { ArgType, EventKind } from '../../src/events/declare.ts';
import { decodeEvent, eventOf, type LineEvent } from '../../src/events/json-lines.ts';
import { eventLineSchema } from '../../src/events/json-schema.ts';
import { encodeEvent } from '../../src/events/json-write.ts';
import { EVENT_KINDS } from '../../src/events/registry.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { openBytes } from '../readers/read.ts';

const word = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.integer({ min: 1, max: 2 ** 40 }).map((lines) => -lines * 64),
);
const entry = fc
  .tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 1, max: 2 ** 40 }))
  .map(([type, offset]) => entryOf(type, offset));
const pte = fc
  .tuple(fc.constantFrom(PTE_NONE, PTE_PRESENT, PTE_SWAP, PTE_MIGRATION), fc.integer({ min: 0, max: 4095 }))
  .chain(([kind, flags]) => {
    const frame = kind === PTE_SWAP ? entry : kind === PTE_NONE ? fc.constant(Number.NaN) : fc.nat();
    return fc.tuple(fc.constant(kind | (flags << 3)), frame);
  });

const VALUES: Readonly<Record<Exclude<ArgType, 'pte'>, fc.Arbitrary<number>>> = {
  pfn: fc.nat(),
  order: fc.nat(20),
  count: fc.integer(),
  code: fc.nat(100),
  bool: fc.constantFrom(0, 1),
  pid: fc.nat(),
  cpu: fc.integer({ min: -1, max: 4095 }),
  mm: word,
  ptr: word,
  va: word,
  entry,
  pageflags: fc.nat(2 ** 26 - 1),
  gupflags: fc.nat(63),
  faultflags: fc.nat(31),
  long: fc.maxSafeInteger(),
};

function argsOf(kind: EventKind): fc.Arbitrary<number[]> {
  const parts = Object.values(kind.args).map((type): fc.Arbitrary<number[]> => {
    const known: fc.Arbitrary<number[]> =
      type === 'pte' ? pte.map(([a, b]): number[] => [a, b]) : VALUES[type].map((value): number[] => [value]);
    const unknown = fc.constant<number[]>(type === 'pte' ? [Number.NaN, Number.NaN] : [Number.NaN]);
    return fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: unknown });
  });
  return fc.tuple(...parts).map((args) => args.flat());
}

const event: fc.Arbitrary<LineEvent> = fc.constantFrom(...EVENT_KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    ns: fc.nat(2 ** 40),
    cpu: fc.integer({ min: -1, max: 511 }),
    pid: fc.integer({ min: -1, max: 4_000_000 }),
    ctx: fc.oneof(
      fc.constant(0),
      fc.nat(511).map((bits) => bits | CTX_KNOWN),
    ),
    args: argsOf(kind),
  }),
);

/** What the schema says of one kind. */
interface KindSchema {
  readonly properties: {
    readonly event: { readonly const: string };
    readonly args: { readonly properties: object };
  };
}

/** Whether the schema names the arguments of a line. */
function fits(schema: { readonly oneOf?: unknown }, line: { event: string; args: object }): boolean {
  const kind = (schema.oneOf as readonly KindSchema[]).find(
    ({ properties }) => properties.event.const === line.event,
  );
  return Object.keys(line.args).every((arg) => arg in (kind?.properties.args.properties ?? {}));
}

describe('events as lines of JSON', () => {
  test('are read back as they were', () => {
    const schema = eventLineSchema(EVENT_KINDS);
    fc.assert(
      fc.property(event, fc.nat(), (one, seq) => {
        const line = encodeEvent(one, seq + 1);
        expect(line).not.toContain('\n');
        expect(decodeEvent(JSON.parse(line))).toEqual(one);
        expect(fits(schema, JSON.parse(line))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('make the trace that they came from', async () => {
    const events = fc.sample(event, { numRuns: 300, seed: 7 });
    const lines = events.map((one, i) => encodeEvent(one, i + 1));
    const header = '{"schema":"faultline.event-lines/1","origin_ns":"62808845805","kernel":"6.12.117"}';
    const input = Buffer.from(`${[header, ...lines].join('\n')}\n`);
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield input;
    }
    const read: string[] = [];
    for await (const { events: batch, facts, last } of ingestHere('-', { stdin: stdin() })) {
      for (let i = 0; i < batch.count; i++) read.push(encodeEvent(eventOf(batch, i), batch.firstSeq + i));
      if (last) expect(facts).toMatchObject({ originNs: 62808845805n, kernel: '6.12.117', records: 301 });
    }
    expect(read).toEqual(lines);
  });

  test('one event with everything in it', () => {
    const out = new EventBatchBuilder();
    const begin = EVENT_KINDS.find(({ name }) => name === 'wp.begin')!;
    out.record(12, 1, 34, CTX_KNOWN | 1 | (2 << 5), 1);
    out.emit(begin, -131391638152960, 0x7f0000001000, 3, PTE_PRESENT | 256, 0xa5f3);
    expect((PTE_PRESENT | 256) & PTE_KIND).toBe(PTE_PRESENT);
    expect(encodeEvent(eventOf(out.take(), 0), 1)).toBe(
      '{"seq":1,"event":"wp.begin","ns":12,"cpu":1,"pid":34,"ctx":{"irqs_off":true,"preempt":2},"args":' +
        '{"mm":"0xffff88800014d900","va":"0x7f0000001000","flags":["write","user"],' +
        '"pte":{"kind":"present","pfn":"0xa5f3","flags":["user"]}}}',
    );
  });

  const WRONG: ReadonlyArray<readonly [line: string, says: string]> = [
    [
      '{"event":"page.free","ns":1,"args":{"pfn":12}}',
      'line 2, column 37: "pfn" must be a hexadecimal number',
    ],
    ['{"event":"page.fre","ns":1}', 'line 2, column 2: "event" must name a kind of event'],
    ['{"event":"page.free","ns":1.5}', 'line 2, column 22: "ns" must be an integer'],
    ['{"event":"page.free","ns":1,"args":{"pfm":"0x1"}}', '"pfm" is no key of the arguments of page.free'],
    ['{"event":"page.free","ns":1,"cpu":-1}', 'column 29: "cpu" must be an integer from 0'],
    ['{"event":"page.free","ns":1,}', 'line 2, column 2'],
    ['[1]', 'line 2, column 1: a line must be one object'],
    ['{"event":"pte.clear","ns":1,"args":{"value":{"kind":"gone"}}}', '"kind" must be one of none, present'],
  ];
  test.each(WRONG)('%s', async (line, says) => {
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`{"event":"page.free","ns":1,"args":{"pfn":"0x1"}}\n${line}\n`);
    }
    const run = async (): Promise<void> => {
      for await (const message of ingestHere('-', { stdin: stdin() })) expect(message).toBeDefined();
    };
    await expect(run()).rejects.toThrow(says);
  });

  test('a trace of another kind of JSON is none', async () => {
    await expect(openBytes(Buffer.from('{"traceEvents":[]}\n'))).rejects.toThrow(/does not read/);
  });
});
