import { hex } from '../core/pointer.ts';
import { entryHex, entryOffset, entryType } from '../core/pte.ts';

/** A count with thousands separators: 22,298. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** "1 record", "2 records". */
export function plural(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Hexadecimal, or null for what is not known. */
export function hexOrNull(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : hex(value);
}

/** The kernel's value of a swap entry in hexadecimal, or null. */
export function entryOrNull(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : entryHex(value);
}

/** A swap entry as people say it: device and slot. */
export function slot(entry: number): string {
  return `${entryType(entry)}:${entryOffset(entry)}`;
}

/** Absolute time stamp of an event, as an integer text. */
export function absoluteNs(originNs: bigint, ns: number): string {
  return String(originNs + BigInt(ns));
}

/** A duration or time stamp in seconds as traces print it: microseconds, or nanoseconds where there are any. */
export function seconds(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const positive = ns < 0n ? -ns : ns;
  const fraction = String(positive % 1_000_000_000n).padStart(9, '0');
  return `${sign}${positive / 1_000_000_000n}.${fraction.endsWith('000') ? fraction.slice(0, 6) : fraction}`;
}

/** The time stamp of an event as its trace prints it. */
export function stamp(trace: { readonly originNs: bigint; readonly ticks: boolean }, ns: number): string {
  const absolute = trace.originNs + BigInt(ns);
  return trace.ticks ? String(absolute) : seconds(absolute);
}

/** CPU numbers in short: 0-3,5. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i]!;
    let to = from;
    while (sorted[i + 1] === to + 1) to = sorted[++i]!;
    parts.push(from === to ? `${from}` : `${from}-${to}`);
  }
  return parts.join(',');
}
