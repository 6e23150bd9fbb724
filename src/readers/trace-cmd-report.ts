import type { FieldSpec } from '../core/fields.ts';
import type { TraceFormat } from './format.ts';
import { lineShare } from './text-share.ts';
import { TextTrace } from './text-trace.ts';
import { TracefsLines } from './tracefs-lines.ts';

/**
 * Tracepoints of the kernel compute `page=` from the pfn and the base of vmemmap, which tools outside the kernel
 * do not have: what they print there is wrong. Their pfn is right. Nor do they know the bits of page flags.
 */
export function wrongInTools(event: string, spec: FieldSpec): boolean {
  return spec.form === 'pageflags' || (spec.key === 'page' && event.startsWith('mm_'));
}

/** The text that `trace-cmd report` makes of a trace.dat. */
export const traceCmdReport: TraceFormat = {
  name: 'text of trace-cmd report',
  sniff(prefix) {
    const text = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length).toString('latin1');
    if (/^(cpus=\d+|version = \d+)\r?$/m.test(text.slice(0, 256))) return 92;
    // With its head cut off: event names padded to 20 columns tell it from tracefs.
    return lineShare(text, /-\d+\s+\[\d+\]\s*\S*\s+\d+\.\d+:\s+(?=.{22})\w+: {2,}/) >= 40 ? 70 : 0;
  },
  open: (source) =>
    new TextTrace(source, {
      format: 'text of trace-cmd report',
      lines: (facts) => new TracefsLines(facts, true),
      wrong: wrongInTools,
    }),
};
