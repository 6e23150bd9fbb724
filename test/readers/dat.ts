/** Builds trace.dat files byte by byte, by Documentation/trace-cmd/trace-cmd.dat.v6.5.txt and .v7.5.txt. */

/** The machine that a file comes from. */
export interface Machine {
  readonly little: boolean;
  readonly longSize: 4 | 8;
  readonly pageSize: number;
}

export const X86: Machine = { little: true, longSize: 8, pageSize: 4096 };

/** Numbers and texts one behind the other. */
export class Bytes {
  readonly #machine: Machine;
  readonly #parts: Buffer[] = [];
  length = 0;

  constructor(machine: Machine = X86) {
    this.#machine = machine;
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes));
    this.length += bytes.length;
    return this;
  }

  #number(value: bigint, size: number): this {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) {
      const at = this.#machine.little ? i : size - 1 - i;
      bytes[at] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
    return this.raw(bytes);
  }

  u8(value: number): this {
    return this.#number(BigInt(value), 1);
  }
  u16(value: number): this {
    return this.#number(BigInt(value), 2);
  }
  u32(value: number): this {
    return this.#number(BigInt(value), 4);
  }
  u64(value: number | bigint): this {
    return this.#number(BigInt(value), 8);
  }
  long(value: number | bigint): this {
    return this.#number(BigInt(value), this.#machine.longSize);
  }
  text(text: string): this {
    return this.raw(Buffer.from(text, 'latin1'));
  }
  string(text: string): this {
    return this.text(`${text}\0`);
  }
  /** Zeros up to a multiple. */
  align(to: number): this {
    return this.raw(Buffer.alloc((to - (this.length % to)) % to));
  }
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** What stands in a page beside plain records. */
export interface Entry {
  /** Time since the entry before. */
  readonly delta?: number;
  /** Bytes of a record, common fields included. */
  readonly data?: Uint8Array;
  /** The record's length stands in a word of its own. */
  readonly long?: boolean;
  /** A time extend of so many ns. */
  readonly extend?: number;
  /** An absolute stamp. */
  readonly absolute?: bigint;
  /** A discarded record of so many bytes. */
  readonly discarded?: number;
  /** Bytes as they are. */
  readonly raw?: Uint8Array;
}

/** A page of a ring buffer. */
export interface Page {
  readonly ts: bigint;
  readonly entries: readonly Entry[];
  /** Records lost before the page; NaN: some. */
  readonly lost?: number;
}

function entryBytes(machine: Machine, entry: Entry): Buffer {
  const bytes = new Bytes(machine);
  const head = (type: number, delta: number): Bytes =>
    bytes.u32(machine.little ? (delta << 5) | type : ((type << 27) | delta) >>> 0);
  if (entry.raw) return bytes.raw(entry.raw).bytes();
  if (entry.extend !== undefined)
    return head(30, entry.extend % 2 ** 27)
      .u32(Math.floor(entry.extend / 2 ** 27))
      .bytes();
  if (entry.absolute !== undefined) {
    const stamp = entry.absolute & ((1n << 59n) - 1n);
    return head(31, Number(stamp & 0x7ffffffn))
      .u32(Number(stamp >> 27n))
      .bytes();
  }
  if (entry.discarded !== undefined)
    return head(29, entry.delta ?? 1)
      .u32(entry.discarded + 4)
      .raw(Buffer.alloc(entry.discarded))
      .bytes();
  const data = entry.data ?? Buffer.alloc(8);
  if (entry.long)
    return head(0, entry.delta ?? 0)
      .u32(data.length + 4)
      .raw(data)
      .align(4)
      .bytes();
  return head(Math.ceil(data.length / 4), entry.delta ?? 0)
    .raw(data)
    .align(4)
    .bytes();
}

/** A page as it stands in the file. */
export function pageBytes(machine: Machine, page: Page): Buffer {
  const data = Buffer.concat(page.entries.map((entry) => entryBytes(machine, entry)));
  const counted = page.lost !== undefined && page.lost > 0;
  const flags = page.lost === undefined ? 0 : counted ? 0xc0000000 : 0x80000000;
  const bytes = new Bytes(machine)
    .u64(page.ts)
    .long(BigInt(flags) + BigInt(data.length))
    .raw(data);
  if (counted) bytes.long(page.lost!);
  return bytes.align(machine.pageSize).bytes();
}

/** One event of a file. */
export interface Format {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  /** Lines like `unsigned long pfn;offset:8;size:8;signed:0;` behind the common ones. */
  readonly fields: readonly string[];
  readonly print: string;
}

const COMMON = [
  'unsigned short common_type;offset:0;size:2;signed:0;',
  'unsigned char common_flags;offset:2;size:1;signed:0;',
  'unsigned char common_preempt_count;offset:3;size:1;signed:0;',
  'int common_pid;offset:4;size:4;signed:1;',
];

export function formatText({ name, id, fields, print }: Format): string {
  const lines = (list: readonly string[]): string =>
    list.map((field) => `\tfield:${field.replaceAll(';', ';\t').trimEnd()}\n`).join('');
  return `name: ${name}\nID: ${id}\nformat:\n${lines(COMMON)}\n${lines(fields)}\nprint fmt: ${print}\n`;
}

/** A file. */
export interface DatFile {
  readonly machine?: Machine;
  readonly formats: readonly Format[];
  readonly cpus: ReadonlyArray<readonly Page[]>;
  readonly clock?: string;
  readonly uname?: string;
  readonly kallsyms?: string;
  readonly cmdlines?: string;
  /** Text of per_cpu/stats by CPU. */
  readonly stats?: readonly string[];
  /** Options as they are. */
  readonly options?: ReadonlyArray<readonly [id: number, data: Uint8Array]>;
  /** Another buffer, with pages by CPU. */
  readonly instance?: {
    readonly name: string;
    readonly clock?: string;
    readonly cpus: ReadonlyArray<readonly Page[]>;
  };
  /** Version 7: compression of sections and pages, two pages a chunk. */
  readonly compress?: { readonly name: string; deflate(bytes: Buffer): Buffer };
}

function headerInfo(machine: Machine): Buffer {
  const { longSize, pageSize } = machine;
  const page =
    '\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n' +
    `\tfield: local_t commit;\toffset:8;\tsize:${longSize};\tsigned:1;\n` +
    '\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n' +
    `\tfield: char data;\toffset:${8 + longSize};\tsize:${pageSize - 8 - longSize};\tsigned:0;\n`;
  return new Bytes(machine)
    .string('header_page')
    .u64(page.length)
    .text(page)
    .string('header_event')
    .u64(3)
    .text('# e')
    .bytes();
}

function eventFormats(machine: Machine, formats: readonly Format[]): Buffer {
  const systems = [...new Set(formats.map(({ system }) => system))];
  const bytes = new Bytes(machine).u32(systems.length);
  for (const system of systems) {
    const own = formats.filter((format) => format.system === system).map(formatText);
    bytes.string(system).u32(own.length);
    for (const text of own) bytes.u64(text.length).text(text);
  }
  return bytes.bytes();
}

function prefix(machine: Machine, version: number): Bytes {
  return new Bytes(machine)
    .raw(Buffer.from([0x17, 0x08, 0x44]))
    .text('tracing')
    .string(String(version))
    .u8(machine.little ? 0 : 1)
    .u8(machine.longSize)
    .u32(machine.pageSize);
}

/** Options that both versions have. */
function commonOptions(file: DatFile): Array<readonly [number, Uint8Array]> {
  return [
    ...(file.uname === undefined ? [] : [[5, Buffer.from(`${file.uname}\0`)] as const]),
    ...(file.stats ?? []).map((text) => [2, Buffer.from(`${text}\0`)] as const),
    ...(file.options ?? []),
  ];
}

/** A file of version 6. */
export function datV6(file: DatFile): Buffer {
  const machine = file.machine ?? X86;
  const bytes = prefix(machine, 6).raw(headerInfo(machine)).u32(0).raw(eventFormats(machine, file.formats));
  const kallsyms = file.kallsyms ?? '';
  const cmdlines = file.cmdlines ?? '';
  bytes.u32(kallsyms.length).text(kallsyms).u32(0).u64(cmdlines.length).text(cmdlines).u32(file.cpus.length);
  bytes.text('options  \0');
  const options = commonOptions(file);
  if (file.clock !== undefined) options.push([4, Buffer.alloc(0)]);
  for (const [id, data] of options) bytes.u16(id).u32(data.length).raw(data);
  bytes.u16(0).text('flyrecord\0');
  const pages = file.cpus.map((list) => Buffer.concat(list.map((page) => pageBytes(machine, page))));
  const clock = file.clock === undefined ? '' : `local [${file.clock}] boot\n`;
  let at = bytes.length + 16 * pages.length + (clock === '' ? 0 : 8 + clock.length);
  at = Math.ceil(at / machine.pageSize) * machine.pageSize;
  for (const region of pages) {
    bytes.u64(at).u64(region.length);
    at += region.length;
  }
  if (clock !== '') bytes.u64(clock.length).text(clock);
  bytes.align(machine.pageSize);
  for (const region of pages) bytes.raw(region);
  return bytes.bytes();
}

/** A file of version 7. */
export function datV7(file: DatFile): Buffer {
  const machine = file.machine ?? X86;
  const { compress } = file;
  const make = (): Bytes => new Bytes(machine);
  const out = prefix(machine, 7)
    .string(compress?.name ?? 'none')
    .string('1.0');
  const firstOptionsAt = out.length;
  out.u64(0);
  const section = (id: number, body: Buffer, packed: boolean): number => {
    const at = out.length;
    const stored =
      packed && compress
        ? ((deflated) => make().u32(deflated.length).u32(body.length).raw(deflated).bytes())(
            compress.deflate(body),
          )
        : body;
    out
      .u16(id)
      .u16(packed && compress ? 1 : 0)
      .u32(0)
      .u64(stored.length)
      .raw(stored);
    return at;
  };
  const kallsyms = file.kallsyms ?? '';
  const cmdlines = file.cmdlines ?? '';
  const sections: ReadonlyArray<readonly [id: number, body: Buffer]> = [
    [16, headerInfo(machine)],
    [17, make().u32(0).bytes()],
    [18, eventFormats(machine, file.formats)],
    [19, make().u32(kallsyms.length).text(kallsyms).bytes()],
    [20, make().u32(0).bytes()],
    [21, make().u64(cmdlines.length).text(cmdlines).bytes()],
  ];
  const options = commonOptions(file);
  for (const [id, body] of sections)
    options.push([
      id,
      make()
        .u64(section(id, body, true))
        .bytes(),
    ]);
  if (file.clock !== undefined) options.push([4, Buffer.from(`local [${file.clock}] boot\n\0`)]);
  const buffers = [{ name: '', clock: file.clock ?? 'local', cpus: file.cpus }];
  if (file.instance) {
    const { name, clock, cpus } = file.instance;
    buffers.push({ name, clock: clock ?? file.clock ?? 'local', cpus });
  }
  for (const { name, clock, cpus } of buffers) {
    const at = out.length;
    out
      .u16(3)
      .u16(compress ? 1 : 0)
      .u32(0)
      .u64(0)
      .align(machine.pageSize);
    const table = make().u64(at).string(name).string(clock).u32(machine.pageSize).u32(cpus.length);
    for (const [cpu, list] of cpus.entries()) {
      const pages = list.map((page) => pageBytes(machine, page));
      const start = out.length;
      if (compress) {
        const chunks: Buffer[] = [];
        for (let i = 0; i < pages.length; i += 2) chunks.push(Buffer.concat(pages.slice(i, i + 2)));
        out.u32(chunks.length);
        for (const chunk of chunks) {
          const deflated = compress.deflate(chunk);
          out.u32(deflated.length).u32(chunk.length).raw(deflated);
        }
      } else for (const page of pages) out.raw(page);
      table
        .u32(cpu)
        .u64(start)
        .u64(out.length - start);
    }
    options.push([3, table.bytes()]);
  }
  // The options stand in two sections, of which the first names the second.
  const half = Math.ceil(options.length / 2);
  const list = (from: number, to: number, next: number): Buffer => {
    const bytes = make();
    for (const [id, data] of options.slice(from, to)) bytes.u16(id).u32(data.length).raw(data);
    return bytes.u16(0).u32(8).u64(next).bytes();
  };
  const second = section(0, list(half, options.length, 0), false);
  const first = section(0, list(0, half, second), false);
  const whole = out.bytes();
  make().u64(first).bytes().copy(whole, firstOptionsAt);
  return whole;
}
