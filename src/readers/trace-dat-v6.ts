import type { ByteCursor, RandomBytes } from './random-access.ts';
import {
  activeClock,
  type CpuRegion,
  cpuCount,
  type DatMeta,
  damaged,
  OPTION_BUFFER,
  OPTION_CPUCOUNT,
  OPTION_DONE,
  OPTION_TRACECLOCK,
  pageSizeOf,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  takeOption,
} from './trace-dat-meta.ts';

/** An instance whose regions are listed elsewhere in the file. */
interface Instance {
  readonly name: string;
  readonly at: number;
}

/** What the options of a version 6 file say beyond {@link takeOption}. */
interface Options {
  cpus: number;
  readonly instances: Instance[];
  clockFollows: boolean;
}

/**
 * Version 6: one item behind the other (Documentation/trace-cmd/trace-cmd.dat.v6.5.txt). `cursorAt` gives a
 * cursor on another place of the file.
 */
export function readV6(
  cursor: ByteCursor,
  meta: DatMeta,
  file: RandomBytes,
  cursorAt: (at: number) => ByteCursor,
  label: string,
): void {
  readHeaderInfo(cursor, meta, label);
  readFtraceFormats(cursor, meta, label);
  readEventFormats(cursor, meta, label);
  meta.kallsyms = cursor.bytes(cursor.u32());
  meta.printk = cursor.text(cursor.u32());
  meta.cmdlines = cursor.bytes(cursor.size());
  const options: Options = { cpus: cpuCount(cursor.u32(), label), instances: [], clockFollows: false };
  const tag = readOptions(cursor, meta, options, label);
  if (tag === 'latency  ') {
    meta.latency = true;
    return;
  }
  if (tag !== 'flyrecord') throw damaged(label, `${JSON.stringify(tag)} where the records should be`);
  const cpus = regions(cursor, options.cpus);
  if (options.clockFollows) meta.clock = activeClock(cursor.text(cursor.size()));
  pageSizeOf(meta.pageSize, label);
  const buffer = (name: string, list: readonly CpuRegion[]): void => {
    meta.buffers.push({
      name,
      clock: meta.clock,
      pageSize: meta.pageSize,
      compressed: false,
      cpus: list.filter((region) => region.size > 0),
    });
  };
  buffer('', cpus);
  for (const { name, at } of options.instances) {
    // The first of them may be the top buffer itself.
    if (name === '' || at >= file.size) continue;
    const there = cursorAt(at);
    const found = readOptions(there, meta, { cpus: 0, instances: [], clockFollows: false }, label);
    if (found === 'flyrecord') buffer(name, regions(there, options.cpus));
  }
}

/** Reads blocks of options up to another tag, which is returned. */
function readOptions(cursor: ByteCursor, meta: DatMeta, options: Options, label: string): string {
  for (;;) {
    const tag = cursor.text(10);
    if (tag !== 'options  ') return tag;
    for (;;) {
      const id = cursor.u16();
      if (id === OPTION_DONE) break;
      const size = cursor.u32();
      const end = cursor.at + size;
      if (id === OPTION_CPUCOUNT && size >= 4) options.cpus = cpuCount(cursor.u32(), label);
      else if (id === OPTION_TRACECLOCK) options.clockFollows = true;
      else if (id === OPTION_BUFFER && size > 8) {
        const at = cursor.size();
        options.instances.push({ at, name: cursor.text(size - 8) });
      } else takeOption(id, cursor, size, meta);
      cursor.at = end;
    }
  }
}

function regions(cursor: ByteCursor, cpus: number): CpuRegion[] {
  const list: CpuRegion[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) list.push({ cpu, at: cursor.size(), size: cursor.size() });
  return list;
}
