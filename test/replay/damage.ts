/** Ways in which a capture may come to a reader with less than was recorded. */
import { type Capture, chance, type Line, textOf } from './capture-text.ts';

/** Records removed in silence. */
export function dropped({ head, lines }: Capture, share: number, seed: number): string {
  const next = chance(seed);
  return textOf(
    head,
    lines.filter(() => next() >= share),
  );
}

/** Runs of records removed, and a `CPU:n [LOST k EVENTS]` before the next one of their CPU, as trace_pipe prints it. */
export function lost({ head, lines }: Capture, share: number, seed: number): string {
  const next = chance(seed);
  const out: { text: string }[] = [];
  const left = new Map<number, number>();
  const gone = new Map<number, number>();
  for (const line of lines) {
    let run = left.get(line.cpu) ?? 0;
    if (run === 0 && next() < share / 10) run = 1 + Math.floor(next() * 20);
    left.set(line.cpu, Math.max(0, run - 1));
    const missing = gone.get(line.cpu) ?? 0;
    if (run > 0) {
      gone.set(line.cpu, missing + 1);
      continue;
    }
    if (missing > 0) out.push({ text: `CPU:${line.cpu} [LOST ${missing} EVENTS]` });
    gone.delete(line.cpu);
    out.push(line);
  }
  return textOf(head, out);
}

/** Neighbours of different CPUs and tasks within some microseconds change places: their order was not known. */
export function swapped({ head, lines }: Capture, seed: number, withinUs: number): string {
  const next = chance(seed);
  const out = [...lines];
  for (let i = 0; i + 1 < out.length; i++) {
    const [a, b] = [out[i]!, out[i + 1]!];
    const apart = microseconds(b) - microseconds(a);
    if (a.cpu === b.cpu || a.pid === b.pid || apart > withinUs || next() < 0.5) continue;
    out[i] = at(b, a.time);
    out[i + 1] = at(a, b.time);
  }
  return textOf(head, out);
}

/** Neighbours of different CPUs with the same stamp change places. */
export function simultaneous({ head, lines }: Capture, seed: number): string {
  const next = chance(seed);
  const out = [...lines];
  for (let i = 0; i + 1 < out.length; i++) {
    const [a, b] = [out[i]!, out[i + 1]!];
    if (a.time !== b.time || a.cpu === b.cpu || a.pid === b.pid || next() < 0.5) continue;
    [out[i], out[i + 1]] = [b, a];
  }
  return textOf(head, out);
}

/** The clock of every odd CPU differs by this much from that of the even ones. */
export function skewed({ head, lines }: Capture, us: number): string {
  const out = lines.map((line) => {
    if (line.cpu % 2 === 0) return line;
    const then = microseconds(line) + us;
    return at(line, `${Math.floor(then / 1e6)}.${String(then % 1e6).padStart(6, '0')}`);
  });
  // Sorting is stable: records of one CPU stay in their order.
  return textOf(
    head,
    out.sort((a, b) => microseconds(a) - microseconds(b)),
  );
}

function microseconds({ time }: Line): number {
  const [seconds, fraction] = time.split('.');
  return Number(seconds) * 1e6 + Number(fraction);
}

function at(line: Line, time: string): Line {
  return { ...line, time, text: line.text.replace(` ${line.time}: `, ` ${time}: `) };
}

/** Only the records from `from` up to and without `to`, as shares of all. */
export function cut({ head, lines }: Capture, from: number, to: number): string {
  return textOf(head, lines.slice(Math.floor(lines.length * from), Math.ceil(lines.length * to)));
}

/** Only the records of some tasks, the first among them, as with set_event_pid. */
export function ofTasks({ head, lines }: Capture, share: number, seed: number): string {
  const next = chance(seed);
  const kept = new Map<number, boolean>(lines.slice(0, 1).map(({ pid }) => [pid, true]));
  for (const { pid } of lines) if (!kept.has(pid)) kept.set(pid, next() < share);
  return textOf(
    head,
    lines.filter(({ pid }) => kept.get(pid)),
  );
}

/** Only the records of the even CPUs, or of the odd ones, as with tracing_cpumask. */
export function ofCpus({ head, lines }: Capture, seed: number): string {
  const one = lines[Math.floor(chance(seed)() * lines.length)];
  return textOf(
    head,
    lines.filter(({ cpu }) => one === undefined || cpu % 2 === one.cpu % 2),
  );
}

/** Each of some events is off until, or from, a moment of its own. */
export function switched({ head, lines }: Capture, share: number, seed: number): string {
  const next = chance(seed);
  const on = new Map<string, readonly [from: number, to: number]>();
  for (const { event } of lines) {
    if (on.has(event)) continue;
    const at = next() * lines.length;
    on.set(event, next() >= share ? [0, lines.length] : next() < 0.5 ? [at, lines.length] : [0, at]);
  }
  return textOf(
    head,
    lines.filter(({ event }, i) => i >= on.get(event)![0] && i < on.get(event)![1]),
  );
}

const FIELD = / (\w+)=(\S+)/g;

/** Only those records of an event, or all but those, in which a field has a value that it has in one of them: an event filter. */
export function filtered({ head, lines }: Capture, seed: number): string {
  const next = chance(seed);
  const one = lines[Math.floor(next() * lines.length)];
  if (one === undefined) return textOf(head, lines);
  const fields = [...one.text.matchAll(FIELD)].map(([field]) => field);
  const wanted = fields[Math.floor(next() * fields.length)] ?? '';
  const without = next() < 0.5;
  return textOf(
    head,
    lines.filter(({ event, text }) => event !== one.event || `${text} `.includes(`${wanted} `) !== without),
  );
}

/** Without the records of these events. */
export function withoutEvents({ head, lines }: Capture, events: ReadonlySet<string>): string {
  return textOf(
    head,
    lines.filter(({ event }) => !events.has(event)),
  );
}
