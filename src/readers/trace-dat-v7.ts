import { InputError } from '../core/errors.ts';
import { ByteCursor, memoryBytes, type RandomBytes } from './random-access.ts';
import type { DatCompression } from './trace-dat-chunks.ts';
import {
  activeClock,
  type CpuRegion,
  cpuCount,
  type DatMeta,
  damaged,
  OPTION_BUFFER,
  OPTION_DONE,
  OPTION_TRACECLOCK,
  pageSizeOf,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  takeOption,
} from './trace-dat-meta.ts';

const SECTION_OPTIONS = 0;
const SECTION_HEADER_INFO = 16;
const SECTION_FTRACE_FORMATS = 17;
const SECTION_EVENT_FORMATS = 18;
const SECTION_KALLSYMS = 19;
const SECTION_PRINTK = 20;
const SECTION_CMDLINES = 21;
const SECTION_BUFFER_TEXT = 22;

/** Flag of a section whose contents are compressed. */
const COMPRESSED = 1;
/** Bytes of a section's head. */
const SECTION_HEAD = 16;
/** A file has a handful of options sections. */
const MAX_OPTION_SECTIONS = 4096;

/** Version 7: sections that options point at (Documentation/trace-cmd/trace-cmd.dat.v7.5.txt). */
export class DatSections {
  readonly #file: RandomBytes;
  readonly #meta: DatMeta;
  readonly #compression: DatCompression;
  readonly #label: string;

  constructor(file: RandomBytes, meta: DatMeta, compression: DatCompression, label: string) {
    this.#file = file;
    this.#meta = meta;
    this.#compression = compression;
    this.#label = label;
  }

  /** Reads all options, then the sections that they point at. */
  read(firstOptions: number): void {
    const sections = new Map<number, number>();
    const seen = new Set<number>();
    let at = firstOptions;
    while (at !== 0) {
      if (seen.has(at) || seen.size === MAX_OPTION_SECTIONS)
        throw damaged(this.#label, 'its chain of options runs in a circle');
      seen.add(at);
      at = this.#options(at, sections);
    }
    const meta = this.#meta;
    const info = this.#open(sections.get(SECTION_HEADER_INFO), SECTION_HEADER_INFO);
    if (info) readHeaderInfo(info, meta, this.#label);
    const ftrace = this.#open(sections.get(SECTION_FTRACE_FORMATS), SECTION_FTRACE_FORMATS);
    if (ftrace) readFtraceFormats(ftrace, meta, this.#label);
    const events = this.#open(sections.get(SECTION_EVENT_FORMATS), SECTION_EVENT_FORMATS);
    if (events) readEventFormats(events, meta, this.#label);
    const kallsyms = this.#open(sections.get(SECTION_KALLSYMS), SECTION_KALLSYMS);
    if (kallsyms) meta.kallsyms = kallsyms.bytes(kallsyms.u32());
    const printk = this.#open(sections.get(SECTION_PRINTK), SECTION_PRINTK);
    if (printk) meta.printk = printk.text(printk.u32());
    const cmdlines = this.#open(sections.get(SECTION_CMDLINES), SECTION_CMDLINES);
    if (cmdlines) meta.cmdlines = cmdlines.bytes(cmdlines.size());
    meta.latency = sections.has(SECTION_BUFFER_TEXT) && meta.buffers.length === 0;
  }

  /** Reads one section of options; returns where the next one is, 0 for none. */
  #options(at: number, sections: Map<number, number>): number {
    if (at + SECTION_HEAD > this.#file.size) {
      throw new InputError(
        `${this.#label} is cut: it ends at byte ${this.#file.size}, and what says where the records are stands at byte ${at}`,
      );
    }
    const cursor = this.#open(at, SECTION_OPTIONS)!;
    for (;;) {
      if (cursor.left < 6) return 0;
      const id = cursor.u16();
      const size = cursor.u32();
      const end = cursor.at + size;
      if (id === OPTION_DONE) return size >= 8 ? cursor.size() : 0;
      if (size > cursor.left) throw damaged(this.#label, `option ${id} is longer than its section`);
      if (id === OPTION_TRACECLOCK) this.#meta.clock = activeClock(cursor.text(size));
      else if (id === OPTION_BUFFER) this.#buffer(cursor);
      else if (id >= SECTION_HEADER_INFO && id <= SECTION_BUFFER_TEXT) {
        if (size >= 8) sections.set(id, cursor.size());
      } else takeOption(id, cursor, size, this.#meta);
      cursor.at = end;
    }
  }

  #buffer(cursor: ByteCursor): void {
    const section = cursor.size();
    const name = cursor.string();
    const clock = activeClock(cursor.string());
    const pageSize = pageSizeOf(cursor.u32(), this.#label);
    const count = cpuCount(cursor.u32(), this.#label);
    const cpus: CpuRegion[] = [];
    for (let i = 0; i < count; i++) {
      const region = { cpu: cpuCount(cursor.u32(), this.#label), at: cursor.size(), size: cursor.size() };
      if (region.size > 0) cpus.push(region);
    }
    const header = new ByteCursor(this.#file, section, this.#meta.little, this.#label);
    if (header.u16() !== OPTION_BUFFER) throw damaged(this.#label, `no buffer at byte ${section}`);
    const compressed = (header.u16() & COMPRESSED) !== 0;
    this.#meta.buffers.push({ name, clock, pageSize, compressed, cpus });
  }

  /** The contents of the section at a place, decompressed; null if there is none. */
  #open(at: number | undefined, id: number): ByteCursor | null {
    if (at === undefined || at === 0) return null;
    const little = this.#meta.little;
    const header = new ByteCursor(this.#file, at, little, this.#label);
    const found = header.u16();
    if (found !== id) throw damaged(this.#label, `section ${found} where section ${id} should be`);
    const flags = header.u16();
    header.u32();
    const size = header.size();
    if (!(flags & COMPRESSED)) {
      return new ByteCursor(memoryBytes(header.bytes(size)), 0, little, this.#label);
    }
    const compressed = header.u32();
    const whole = header.u32();
    const contents = this.#compression.inflate(header.bytes(compressed), whole);
    if (contents === null) throw damaged(this.#label, `section ${id} cannot be decompressed`);
    return new ByteCursor(memoryBytes(contents), 0, little, this.#label);
  }
}
