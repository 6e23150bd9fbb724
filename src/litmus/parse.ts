import { CHECKS } from '../checks/index.ts';
import { AXES, AXIS_IDS, type AxisId } from '../variants/axes.ts';
import { VARIANTS } from '../variants/presets.ts';
import { build } from './build.ts';
import { checkWorld, DECLARATIONS, World } from './declare.ts';
import { FLAGS } from './flags.ts';
import type { ArgKind, Op } from './op.ts';
import * as ops from './ops/index.ts';
import type { Condition, Expectation, Often, Program, Statement, Thread } from './program.ts';
import { choices, type Line, linesOf, ScenarioError, type Token, Words } from './tokens.ts';

/** Every statement, by its word. */
export const OPS: ReadonlyMap<string, Op> = new Map(
  (Object.values(ops) as Op[]).map((declared) => [declared.name, declared]),
);

/** What may be expected: what the model sees itself, and every check. */
const DIVERGENCES: readonly string[] = [...new Set([...FLAGS, ...CHECKS.map(({ id }) => id)])];

/** More than this many steps make a schedule too long to be told in a token. */
const STATEMENTS_MAX = 24;
const THREADS_MAX = 6;

function argument(world: World, kind: ArgKind, words: Words): number[] {
  switch (kind) {
    case 'mm':
      return [words.named(world.mms, 'an mm')];
    case 'va':
      return [words.named(world.vas, 'an address')];
    case 'page':
      return [words.named(world.pageNames, 'a page')];
    case 'slot':
      return [words.named(world.slots, 'a swap slot')];
    case 'device':
      return [words.named(world.deviceNames, 'a device')];
    case 'hold': {
      const hold = words.named(world.holdNames, 'a reference');
      return [world.holds[hold]!.mm, world.holds[hold]!.va, hold];
    }
    case 'value':
      return [words.number('a small number')];
  }
}

function statement(world: World, line: Line): Statement {
  const head = line.words[0]!;
  const op = OPS.get(head.text);
  if (op === undefined)
    throw new ScenarioError(
      head.line,
      head.column,
      `expected a statement, found '${head.text}'; ${choices(head.text, [...OPS.keys()].sort())}`,
    );
  const words = new Words(line);
  const args = op.args.flatMap((kind) => argument(world, kind, words));
  words.end();
  // fork to oneself, a move to where it was: what names two things of a kind means two.
  if (op.args.length > 1 && op.args[0] === op.args[1] && args[0] === args[1])
    throw new ScenarioError(
      head.line,
      line.words[2]!.column,
      `expected another one than '${line.words[1]!.text}'`,
    );
  const twice = op.args.lastIndexOf('va') !== op.args.indexOf('va');
  if (twice && args[op.args.indexOf('va')] === args[op.args.lastIndexOf('va')])
    throw new ScenarioError(head.line, line.words.at(-1)!.column, `expected another address`);
  return { op, args: moved(world, op, args), text: line.text, line: line.number };
}

/** The phases of a fault look for mm and address first: what a device does is done to the mm that it listens to. */
function moved(world: World, op: Op, args: readonly number[]): readonly number[] {
  if (op.args[0] !== 'device') return args;
  const [device, ...rest] = args as [number, ...number[]];
  return [world.devices[device]!.mm, ...rest, device];
}

/** `axis=value|value`; every axis and value must exist. */
function condition(word: Token): Condition {
  const fail = (message: string): never => {
    throw new ScenarioError(word.line, word.column, message);
  };
  const [axis, list] = word.text.split('=');
  if (list === undefined) return fail(`expected axis=value|value..., found '${word.text}'`);
  const values = list.split('|');
  if (axis === 'variant') {
    const ids = VARIANTS.map(({ id }) => id);
    const odd = values.find((value) => !ids.includes(value));
    return odd === undefined
      ? { axis, values }
      : fail(`expected a variant (${ids.join(', ')}), found '${odd}'`);
  }
  if (!AXIS_IDS.includes(axis as AxisId))
    return fail(`expected an axis (variant, ${AXIS_IDS.join(', ')}), found '${axis}'`);
  const ids: readonly string[] = AXES[axis as AxisId].values.map(({ id }) => id);
  const odd = values.find((value) => !ids.includes(value));
  if (odd !== undefined) fail(`expected a value of ${axis} (${ids.join(', ')}), found '${odd}'`);
  return { axis: axis!, values };
}

/** `axis=value ...: some ID, all ID` or `otherwise: nothing`. */
function expectation(line: Line): Expectation {
  const at = line.words.findIndex(({ text }) => text.endsWith(':'));
  if (at < 0)
    throw new ScenarioError(
      line.number,
      line.end,
      "expected ':' behind the conditions ('cow=trylock: some missed-cow')",
    );
  const when = line.words
    .slice(0, at + 1)
    .map((word) => ({ ...word, text: word.text.replace(/:$/, '') }))
    .filter(({ text }) => text !== 'otherwise' && text !== '')
    .map(condition);
  const words = new Words(line, at + 1);
  const found = new Map<string, Often | 'may'>();
  while (words.more) {
    const often = words.oneOf(['some', 'all', 'may', 'nothing'], 'how often');
    if (often === 'nothing') break;
    const id = words.next('the id of a divergence');
    const flag = DIVERGENCES.find((known) => known === id.text.replace(/,$/, ''));
    if (flag === undefined)
      throw new ScenarioError(
        id.line,
        id.column,
        `expected a divergence, found '${id.text}'; ${choices(id.text, DIVERGENCES)}`,
      );
    if (found.has(flag)) throw new ScenarioError(id.line, id.column, `${flag} is told twice`);
    found.set(flag, often);
  }
  words.end();
  return { when, found, line: line.number };
}

function thread(
  world: World,
  line: Line,
  index: number,
  taken: readonly string[],
): Omit<Thread, 'statements'> {
  const words = new Words(line);
  const name = words.fresh('a thread', taken);
  let [mm, cpu, reclaim] = [-1, index, false];
  while (words.more) {
    if (words.peek !== undefined && world.mms.includes(words.peek)) mm = words.named(world.mms, 'an mm');
    else if (
      words.oneOf(['cpu', 'reclaim'], `a property of the thread (an mm: ${world.mms.join(', ')})`) === 'cpu'
    )
      cpu = words.number('the number of its CPU');
    else reclaim = true;
  }
  return { name, mm, cpu, reclaim, pid: 101 + index };
}

/** Reads a scenario. Throws {@link ScenarioError} at what it does not understand. */
export function parse(text: string): Program {
  const lines = linesOf(text);
  const world = new World();
  const threads: Array<Omit<Thread, 'statements'> & { statements: Statement[]; line: number }> = [];
  const texts: Record<'title' | 'origin', string> = { title: '', origin: '' };
  const about: string[] = [];
  const requires: Condition[] = [];
  const expectations: Expectation[] = [];
  let name = '';
  let section: 'world' | 'thread' | 'expect' = 'world';
  for (const line of lines) {
    const head = line.words[0]!;
    const rest = line.text.slice(head.text.length).trim();
    if (section === 'thread' && line.indented) threads.at(-1)!.statements.push(statement(world, line));
    else if (section === 'expect' && line.indented) expectations.push(expectation(line));
    else if (name === '') {
      if (head.text !== 'litmus')
        throw new ScenarioError(head.line, head.column, `expected 'litmus NAME' first, found '${head.text}'`);
      name = new Words(line).fresh('the scenario', []);
    } else if (head.text === 'title' || head.text === 'origin') texts[head.text] = rest;
    else if (head.text === 'about') about.push(rest);
    else if (head.text === 'requires') requires.push(...line.words.slice(1).map(condition));
    else if (head.text === 'thread') {
      checkWorld(world, line.number);
      section = 'thread';
      if (threads.length === THREADS_MAX)
        throw new ScenarioError(head.line, 1, `expected at most ${THREADS_MAX} threads`);
      threads.push({
        line: head.line,
        ...thread(
          world,
          line,
          threads.length,
          threads.map((other) => other.name),
        ),
        statements: [],
      });
    } else if (head.text === 'expect') {
      new Words(line).end();
      section = 'expect';
    } else {
      const declare = DECLARATIONS[head.text];
      if (declare === undefined || section !== 'world')
        throw new ScenarioError(
          head.line,
          head.column,
          section === 'world'
            ? `expected a declaration (title, origin, about, requires, ${Object.keys(DECLARATIONS).join(', ')}, thread), found '${head.text}'`
            : declare === undefined
              ? `expected an indented line, 'thread' or 'expect', found '${head.text}'`
              : `'${head.text}' is declared before the first thread`,
        );
      const words = new Words(line);
      declare(world, words);
      words.end();
    }
  }
  const last = lines.at(-1)?.number ?? 1;
  if (name === '') throw new ScenarioError(1, 1, "expected 'litmus NAME' first, found nothing");
  if (threads.length === 0)
    throw new ScenarioError(last, 1, "expected a thread ('thread app A'), found the end");
  for (const { statements, name: of, line } of threads)
    if (statements.length === 0 || statements.length > STATEMENTS_MAX)
      throw new ScenarioError(
        line,
        1,
        `expected 1 to ${STATEMENTS_MAX} indented statements in thread ${of}, found ${statements.length}`,
      );
  const seen: readonly string[] = FLAGS;
  const judged = new Set(
    expectations.flatMap(({ found }) => [...found.keys()].filter((id) => !seen.includes(id))),
  );
  return build({ name, ...texts, about, requires, expectations, judged: [...judged], threads, text }, world);
}
