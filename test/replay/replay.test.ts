import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { firesIn, voteIn } from '../../src/compare/replayed.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { type Replay, replay } from '../../src/replay/replay.ts';
import type { Moment } from '../../src/replay/span.ts';
import { replayJson } from '../../src/report/replay.ts';
import { parseVariant } from '../../src/variants/parse.ts';
import { PRESETS } from '../../src/variants/presets.ts';

const UNTOLD = { since: null, until: null, kernel: null, arch: null, clock: null, vmemmapBase: null };

/** A capture of the repository under some variants; `auto` among them. */
async function under(name: string, ...variants: string[]): Promise<Replay> {
  const path = fileURLToPath(new URL(`../../traces/${name}.txt.gz`, import.meta.url));
  const asked = variants.map((text) => (text === 'auto' ? null : parseVariant(text)));
  return replay(path, { ...UNTOLD, variants: asked, bisect: null }, { source: ingestHere });
}

/** How many write faults a variant explains. */
function explained({ replayed }: Replay, id: string): string {
  const { agreed, compared } = replayed.summary(parseVariant(id), 'write-fault');
  return `${agreed} of ${compared}`;
}

describe('the rule of a patched kernel is found among the values of its axis', () => {
  test.each([
    ['V1-pin-guptest', '6.12+cow=trylock-then-exclusive', 363, 362],
    ['V2-pin-guptest', '6.12+cow=refcount', 382, 363],
  ])('%s: %s', async (name, id, agreed, base) => {
    const { fit } = await under(name);
    const cow = fit?.search.axes.find(({ axis }) => axis === 'cow');
    expect(fit?.search.id).toBe(id);
    expect(cow).toMatchObject({ agreed, judged: agreed, baseAgreed: base, also: [] });
    expect(fit?.explained).not.toContain('6.12');
  });

  test('V3-vmsplice: mapcount and swapcount, as waited for from 2.6.29 to 5.8', async () => {
    const { fit } = await under('V3-vmsplice');
    const cow = fit?.search.axes.find(({ axis }) => axis === 'cow');
    expect(cow).toMatchObject({ agreed: 134, judged: 134, baseAgreed: 124 });
    expect([cow?.value, ...(cow?.also ?? [])]).toEqual(
      expect.arrayContaining(['waitlock', 'thp', 'ksmreuse']),
    );
    expect([cow?.value, ...(cow?.also ?? [])]).not.toContain('refcount');
  });

  test.each(['base-pin-guptest', 'base-vmsplice', 'stock-cow-core', 'stock-vmsplice'])(
    '%s needs no other value than those of 6.12, and nothing contradicts them',
    async (name) => {
      const { fit } = await under(name);
      expect(fit?.search.id).toBe('6.12');
      expect(fit?.auto?.best).toBe('6.12');
      expect(fit?.explained).toContain('6.12');
    },
  );

  test('a capture without inputs contradicts nobody, and fits nobody', async () => {
    const { fit, replayed } = await under('base-cow-tracepoints-only', '6.12');
    expect(fit).toBeNull();
    expect(replayed.decisions).toEqual([]);
  });
});

describe('what other rules would have decided', () => {
  test('5.9 would have copied pages under their pins, and the checks would have said so', async () => {
    const answer = await under('base-pin-guptest', '5.9', '6.12');
    expect(explained(answer, '6.12')).toBe('363 of 363');
    const old = parseVariant('5.9');
    const copied = answer.replayed.decisions.filter(
      (decision) => decision.observed === 'reuse' && voteIn(decision, old).outcome === 'copy',
    );
    expect(copied.length).toBeGreaterThan(90);
    const broken = copied.filter((decision) => firesIn(decision, 'copy').includes('gup-pin-broken-by-cow'));
    expect(broken.length).toBeGreaterThan(90);
    expect(broken.flatMap((decision) => firesIn(decision, 'reuse'))).toEqual([]);
  });

  test('6.12 would have copied where V3 leaks', async () => {
    const answer = await under('V3-vmsplice', '6.12', '6.12+cow=waitlock');
    const leaks = answer.replayed.decisions.filter((decision) =>
      firesIn(decision, decision.observed).includes('cow-leak-through-gup-ref'),
    );
    expect(leaks).toHaveLength(5);
    for (const decision of leaks) expect(voteIn(decision, parseVariant('6.12')).outcome).toBe('copy');
  });

  test('what one variant says does not depend on which others are asked', async () => {
    const few = await under('V1-pin-guptest', '5.9');
    const many = await under('V1-pin-guptest', ...PRESETS.map(({ id }) => id));
    const old = parseVariant('5.9');
    const votes = ({ replayed }: Replay): string[] =>
      replayed.decisions.map((decision) => `${decision.seq} ${JSON.stringify(voteIn(decision, old))}`);
    expect(votes(many)).toEqual(votes(few));
  });

  test('auto is the preset that fits', async () => {
    const { variants } = await under('base-pin-guptest', 'auto', '2.6.26');
    expect(variants.map(({ id }) => id)).toEqual(['6.12', '2.6.26']);
  });

  test('as JSON every decision has every variant, with outcome, reason and checks', async () => {
    const answer = await under('V1-pin-guptest', '2.6.26', '6.12');
    const value = JSON.parse(JSON.stringify(replayJson(answer))) as {
      schema: string;
      variants: string[];
      summary: Record<string, Record<string, number>>;
      decisions: { seq: number; kind: string; observed: string; by: Record<string, object> }[];
    };
    expect(value.schema).toBe('faultline.replay/1');
    expect(value.summary['6.12']).toMatchObject({ compared: 363, agreed: 362, wait: 0 });
    const broken = value.decisions.find(({ seq, kind }) => seq === 17581 && kind === 'write-fault');
    expect(broken).toMatchObject({
      observed: 'copy',
      by: {
        '2.6.26': {
          outcome: 'copy',
          reason: 'lock',
          agreement: 'agrees',
          fires: ['gup-pin-broken-by-cow', 'unexpected-cow', 'unexpected-cow-under-reclaim'],
        },
        '6.12': { outcome: 'reuse', reason: 'exclusive', agreement: 'differs', fires: [] },
      },
    });
  });
});

describe('bisect', () => {
  async function between(name: string, a: string, b: string): Promise<Replay['bisection']> {
    const path = fileURLToPath(new URL(`../../traces/${name}.txt.gz`, import.meta.url));
    const pair = [parseVariant(a), parseVariant(b)] as const;
    return (await replay(path, { ...UNTOLD, variants: [], bisect: [...pair] }, { source: ingestHere }))
      .bisection;
  }

  test('finds the axis, the step and what decided on either side', async () => {
    const found = await between('base-pin-guptest', '5.11', '6.12');
    expect(found?.axes.map(({ axis }) => axis)).toEqual(['cow']);
    const [flip] = found!.axes[0]!.flips;
    expect([flip!.from.id, flip!.to.id]).toEqual(['refcount-swap', 'exclusive']);
    expect(flip!.before).toEqual({ outcome: 'copy', reason: 'references' });
    expect(flip!.after).toEqual({ outcome: 'reuse', reason: 'exclusive' });
    expect(found?.idle).toContain('swapoff');
  });

  test('the set is enough and nothing of it is spare', async () => {
    const found = await between('base-pin-guptest', '5.8', '6.12');
    const axes = found!.axes.map(({ axis, to }) => `${axis}=${to}`);
    expect(axes.length).toBeGreaterThan(1);
    expect((await between('base-pin-guptest', `5.8+${axes.join(',')}`, '6.12'))?.axes).toEqual([]);
    for (const left of axes) {
      const fewer = axes.filter((axis) => axis !== left);
      const rest = await between('base-pin-guptest', `5.8+${fewer.join(',')}`, '6.12');
      expect(rest?.axes.map(({ axis, to }) => `${axis}=${to}`)).toEqual([left]);
    }
  });

  test('says so where two variants decide alike', async () => {
    expect((await between('base-pin-guptest', '6.1', '6.12'))?.axes).toEqual([]);
  });
});

describe('a part of a trace', () => {
  const path = fileURLToPath(new URL('../../traces/V1-pin-guptest.txt.gz', import.meta.url));
  const part = (since: Moment | null, until: Moment | null): Promise<Replay> =>
    replay(
      path,
      { ...UNTOLD, since, until, variants: [parseVariant('6.12')], bisect: null },
      { source: ingestHere },
    );

  test('has the decisions of the whole from since up to until, with the inputs that they have in the whole', async () => {
    const whole = await part(null, null);
    const middle = await part({ seq: 17_000 }, { seq: 18_000 });
    // One that goes on beyond the end has no outcome in the part.
    const told = ({ replayed }: Replay): object[] =>
      replayed.decisions
        .filter(({ seq }) => seq >= 17_000 && seq < 17_600)
        .map(({ seq, kind, inputs, observed }) => ({ seq, kind, inputs, observed }));
    expect(told(middle).length).toBeGreaterThan(5);
    expect(told(middle)).toEqual(told(whole));
    expect(middle.replayed.decisions.every(({ seq }) => seq >= 17_000 && seq <= 18_000)).toBe(true);
    expect(middle.fit?.search.id).toBe('6.12+cow=trylock-then-exclusive');
  });

  test('takes times as the trace prints them, and stops reading behind it', async () => {
    const moment = { ns: 79_970_631_000n };
    const before = await part(null, { ns: moment.ns - 1n });
    expect(before.replayed.decisions.at(-1)!.seq).toBeLessThan(17_581);
    expect(before.trace.events).toBe(17_580);
    expect(before.fit?.search.id).toBe('6.12');
    const after = await part(moment, null);
    expect(after.replayed.decisions[0]!.seq).toBe(17_581);
  });
});
