import { describe, expect, test } from 'vitest';
import type { EventBatch } from '../../src/events/batch.ts';
import { eventOf, type LineEvent } from '../../src/events/json-lines.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { NO_LOSS } from '../../src/synth/loss.ts';
import { PLANTS } from '../../src/synth/plants/index.ts';
import { CLOCKS, type Clock, LAYOUTS } from '../../src/synth/text/layout.ts';
import { make, TEXT } from './runs.ts';

async function eventsOf(text: string): Promise<LineEvent[]> {
  const events: LineEvent[] = [];
  const take = (batch: EventBatch): void => {
    for (let i = 0; i < batch.count; i++) events.push(eventOf(batch, i));
  };
  const source = ingestHere('-', {
    kernel: null,
    arch: null,
    clock: null,
    clockSkewNs: null,
    vmemmapBase: null,
    stdin: (async function* () {
      yield Buffer.from(text, 'latin1');
    })(),
  } as Parameters<typeof ingestHere>[1]);
  for await (const { events: batch } of source) take(batch);
  return events;
}

/** What an event states, without its time. */
const bare = ({ kind, cpu, pid, ctx, args }: LineEvent): unknown => ({
  kind: kind.name,
  cpu,
  pid,
  ctx,
  args,
});

describe('the forms of a trace', () => {
  test('the same specification gives the same bytes, another seed gives others', () => {
    const tellable = PLANTS.filter((kind) => kind.tellable).slice(0, 2);
    const plants = tellable.map((kind) => ({ kind, times: 1 }));
    const over = { events: 4000, plants };
    for (const format of ['text', 'jsonl'] as const) {
      const { text } = make({ ...over, seed: 7 }, { format });
      expect(make({ ...over, seed: 7 }, { format }).text).toBe(text);
      expect(make({ ...over, seed: 8 }, { format }).text).not.toBe(text);
    }
  });

  test('the readers and decoders get the events back that the text was printed from', async () => {
    const over = { seed: 3, events: 6000, beyondTracers: false };
    const stated = await eventsOf(make(over, { format: 'jsonl' }).text);
    const printed = await eventsOf(make(over).text);
    // The text begins with its segment.
    expect(printed[0]!.kind.name).toBe('trace.segment');
    expect(printed.slice(1).map(bare)).toEqual(stated.map(bare));
    for (const [i, event] of printed.slice(1).entries())
      expect(event.ns).toBe(
        Math.floor(stated[i]!.ns / 1000) * 1000 - Math.floor(stated[0]!.ns / 1000) * 1000,
      );
  });

  const whole = make({ seed: 4, events: 1500 });
  test.each(
    LAYOUTS.flatMap((layout) =>
      (['mono', 'counter', 'x86-tsc'] as Clock[]).map((clock) => [layout, clock] as const),
    ),
  )('%s with clock %s tells the same', async (layout, clock) => {
    const text = make({ seed: 4, events: 1500 }, { layout, clock }).text;
    const usual = await eventsOf(whole.text);
    const these = await eventsOf(text);
    const states = (events: readonly LineEvent[]): unknown[] =>
      events.filter(({ kind }) => kind.name !== 'trace.segment').map(bare);
    expect(states(these)).toEqual(states(usual));
  });

  test('exactly as many records as were asked for, and fewer by what is lost', () => {
    const records = (text: string): number => text.split('\n').filter((line) => /^ .*: /.test(line)).length;
    expect(records(whole.text)).toBe(1500);
    expect(records(make({ seed: 4, events: 1500 }, { loss: { ...NO_LOSS, overwritten: 400 } }).text)).toBe(
      1100,
    );
    const unsaid = make({ seed: 4, events: 1500 }, { loss: { ...NO_LOSS, unsaid: 0.1 } }).text;
    expect(records(unsaid)).toBeGreaterThan(1250);
    expect(records(unsaid)).toBeLessThan(1450);
    expect(whole.text).toContain(unsaid.split('\n')[20]);
    const cut = make({ seed: 4, events: 1500 }, { ...TEXT, cut: true }).text;
    expect(whole.text.startsWith(cut)).toBe(true);
    expect(cut.endsWith('\n')).toBe(false);
  });

  test('every clock is printed', () => {
    for (const clock of Object.keys(CLOCKS) as Clock[])
      expect(make({ events: 50 }, { clock }).text.split('\n')).toHaveLength(63);
  });
});
