import { ascii, type Line } from '../../core/line.ts';
import { CTX_HARDIRQ, CTX_IRQS_OFF, CTX_PREEMPT_SHIFT, CTX_SOFTIRQ } from '../../core/records.ts';

/** Forms in which tracefs prints records. */
export const LAYOUTS = ['tgid', 'plain', 'latency', 'pipe'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Trace clocks, and whether they print seconds (else a whole number). */
export const CLOCKS = {
  local: true,
  global: true,
  mono: true,
  mono_raw: true,
  boot: true,
  perf: true,
  counter: false,
  uptime: false,
  'x86-tsc': false,
} as const;
export type Clock = keyof typeof CLOCKS;

/** What the lines of a text need to know. */
export interface Form {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly cpus: number;
  /** Records in the file, and records that were written while it was recorded. */
  readonly entries: number;
  readonly written: number;
  /** Name and thread group of a task. */
  readonly task: (pid: number) => { readonly comm: string; readonly tgid: number };
}

/** Time of the machine when its trace begins, in nanoseconds. */
export const BOOT_NS = 100_000_000_000;
const NS_PER_JIFFY = 4_000_000;
const TICKS_PER_US = 2400;

/** Columns of tracefs: comm, pid and TGID. */
const COMM = 16;
const COMM_LATENCY = 8;
const PID = 7;

const HEX = '.123456789abcdef';
const ZERO = 0x30;
const COLON = ascii(': ');
const MICROSECONDS = ascii('us : ');
const POINT = 0x2e;

/** The five letters of the flags column. */
function flagLetters(ctx: number): string {
  const irqs = ctx & CTX_IRQS_OFF ? 'd' : '.';
  const context = ctx & CTX_HARDIRQ ? 'h' : ctx & CTX_SOFTIRQ ? 's' : '.';
  return `${irqs}.${context}${HEX[(ctx >> CTX_PREEMPT_SHIFT) & 15]}.`;
}

/** Writes what stands before a record's payload. */
export class Head {
  readonly #form: Form;
  readonly #who = new Map<number, Uint8Array>();
  readonly #where = new Map<number, Uint8Array>();
  readonly #latency: boolean;

  constructor(form: Form) {
    this.#form = form;
    this.#latency = form.layout === 'latency';
  }

  /** The head of a record, with the blank behind its colon. */
  write(to: Line, pid: number, cpu: number, ctx: number, ns: number, ordinal: number): void {
    to.put(this.#task(pid));
    to.put(this.#context(cpu, ctx));
    this.#time(to, ns, ordinal);
  }

  #task(pid: number): Uint8Array {
    let bytes = this.#who.get(pid);
    if (bytes === undefined) {
      const { comm, tgid } = this.#form.task(pid);
      const group = this.#form.layout === 'plain' ? '' : `(${String(tgid).padStart(PID)}) `;
      bytes = ascii(
        this.#latency
          ? `${comm.slice(0, COMM_LATENCY).padStart(COMM_LATENCY)}-${String(pid).padEnd(PID)} `
          : `${comm.padStart(COMM)}-${String(pid).padEnd(PID)} ${group}`,
      );
      this.#who.set(pid, bytes);
    }
    return bytes;
  }

  #context(cpu: number, ctx: number): Uint8Array {
    const key = ctx * 1024 + cpu;
    let bytes = this.#where.get(key);
    if (bytes === undefined) {
      const letters = flagLetters(ctx);
      bytes = ascii(
        this.#latency
          ? `${String(cpu).padStart(3)}${letters} `
          : `[${String(cpu).padStart(3, '0')}] ${letters} `,
      );
      this.#where.set(key, bytes);
    }
    return bytes;
  }

  #time(to: Line, ns: number, ordinal: number): void {
    const { clock } = this.#form;
    if (!CLOCKS[clock]) {
      to.decimal(ticksOf(clock, ns, ordinal), this.#latency ? 4 : 12);
      to.put(COLON);
    } else if (this.#latency) {
      to.decimal(Math.floor(ns / 1000), 4);
      to.put(MICROSECONDS);
    } else {
      const us = Math.floor((ns + BOOT_NS) / 1000);
      const seconds = Math.floor(us / 1e6);
      to.decimal(seconds, 5);
      to.byte(POINT);
      to.decimal(us - seconds * 1e6, 6, ZERO);
      to.put(COLON);
    }
  }
}

function ticksOf(clock: Clock, ns: number, ordinal: number): number {
  if (clock === 'counter') return ordinal;
  if (clock === 'uptime') return Math.floor((ns + BOOT_NS) / NS_PER_JIFFY);
  return Math.floor(((ns + BOOT_NS) * TICKS_PER_US) / 1000);
}

/** Drawings above the columns, as 6.12 prints them. */
const DRAWING_LATENCY = `#    -----------------
#    | task: -0 (uid:0 nice:0 policy:0 rt_prio:0)
#    -----------------
#
#                    _------=> CPU#            
#                   / _-----=> irqs-off/BH-disabled
#                  | / _----=> need-resched    
#                  || / _---=> hardirq/softirq 
#                  ||| / _--=> preempt-depth   
#                  |||| / _-=> migrate-disable 
#                  ||||| /     delay           
#  cmd     pid     |||||| time  |   caller     
#     \\   /        ||||||  \\    |    /       
`;
const DRAWING_TGID = `#                                          _-----=> irqs-off/BH-disabled
#                                         / _----=> need-resched
#                                        | / _---=> hardirq/softirq
#                                        || / _--=> preempt-depth
#                                        ||| / _-=> migrate-disable
#                                        |||| /     delay
#           TASK-PID       TGID    CPU#  |||||  TIMESTAMP  FUNCTION
#              | |           |       |   |||||     |         |
`;
const DRAWING_PLAIN = `#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;

/** The comment lines above the records; a pipe has none. */
export function header({ layout, cpus, entries, written }: Form): string {
  if (layout === 'pipe') return '';
  if (layout === 'latency')
    return `# tracer: nop
#
# nop latency trace v1.1.5 on 6.12.117
# --------------------------------------------------------------------
# latency: 0 us, #${entries}/${written}, CPU#0 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:${cpus})
${DRAWING_LATENCY}`;
  return `# tracer: nop
#
# entries-in-buffer/entries-written: ${entries}/${written}   #P:${cpus}
#
${layout === 'plain' ? DRAWING_PLAIN : DRAWING_TGID}`;
}
