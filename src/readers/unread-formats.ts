/**
 * Inputs that are recognised in order to say what they are and what to do instead. A format that becomes
 * readable moves from here to a file of its own.
 */
import { InputError } from '../core/errors.ts';
import type { TraceFormat } from './format.ts';

function unread(
  name: string,
  advice: string,
  sniff: (prefix: Uint8Array, text: string) => number,
): TraceFormat {
  return {
    name,
    refused: true,
    sniff: (prefix) => sniff(prefix, Buffer.from(prefix).toString('latin1')),
    open(source) {
      throw new InputError(`${source.label} is ${name}, which this version does not read; ${advice}`);
    },
  };
}

function starts(prefix: Uint8Array, ...bytes: number[]): boolean {
  return bytes.every((byte, i) => prefix[i] === byte);
}

export const ancientPerfData: TraceFormat = unread(
  'a perf.data file of before 2009',
  'record with a newer perf',
  (_prefix, text) => (text.startsWith('PERFFILE') ? 100 : 0),
);

export const ctf: TraceFormat = unread(
  'CTF, as LTTng writes it',
  'record with tracefs or trace-cmd instead',
  (prefix) => (starts(prefix, 0xc1, 0x1f, 0xfc, 0xc1) || starts(prefix, 0x57, 0x1d, 0xd1, 0x75) ? 100 : 0),
);

export const compressedAtrace: TraceFormat = unread(
  'the compressed output of atrace',
  'record it without -z',
  (_prefix, text) => (/^TRACE:\r?\nx[^ -~]/.test(text) ? 100 : 0),
);

export const perfettoTrace: TraceFormat = unread(
  'a Perfetto protobuf trace',
  'record with tracefs or trace-cmd instead',
  (prefix) => (prefix[0] === 0x0a && prefix.subarray(0, 256).some((byte) => byte === 0) ? 50 : 0),
);

export const utf16: TraceFormat = unread(
  'UTF-16 text',
  'convert it: iconv -f UTF-16 -t UTF-8 FILE',
  (prefix) => (starts(prefix, 0xff, 0xfe) || starts(prefix, 0xfe, 0xff) ? 95 : 0),
);

export const html: TraceFormat = unread(
  'an HTML page',
  'give the trace that it was made from',
  (_prefix, text) => (/<!DOCTYPE html|<html/i.test(text.slice(0, 512)) ? 95 : 0),
);

export const jsonLines: TraceFormat = unread(
  'JSON',
  'give events of faultline, one a line, or a trace of the kernel',
  (_prefix, text) => (/^\s*[{[]\s*["{\]}]/.test(text) ? 80 : 0),
);

export const histogram: TraceFormat = unread(
  'a histogram of events and no stream of them',
  'read the trace file instead of the hist file',
  (_prefix, text) => (/^# (event histogram|trigger info:)/m.test(text.slice(0, 4096)) ? 95 : 0),
);

export const ftraceDump: TraceFormat = unread(
  'a kernel log with a dump of the ftrace buffer',
  'cut the dump out and strip the log time from each line',
  (_prefix, text) => (text.includes('Dumping ftrace buffer:') ? 85 : 0),
);
