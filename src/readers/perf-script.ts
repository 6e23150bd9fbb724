import type { TraceFormat } from './format.ts';
import { PerfScriptLines } from './perf-script-lines.ts';
import { lineShare } from './text-share.ts';
import { TextTrace } from './text-trace.ts';
import { wrongInTools } from './trace-cmd-report.ts';

const LINE = /^\s*\S.{0,20}?\s+-?\d+(\/-?\d+)?\s+(\[\d+\]\s+)?\S*\s*\d+\.\d{6,9}:\s+(\d+\s+)?[\w-]+:[\w.-]+:/;

/** The text that `perf script` makes of the tracepoints in a perf.data. */
export const perfScript: TraceFormat = {
  name: 'text of perf script',
  sniff(prefix) {
    const text = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length).toString('latin1');
    if (/^# ={4,}\s*\n# captured on/.test(text)) return 92;
    return lineShare(text, LINE) >= 20 ? 65 : 0;
  },
  open(source) {
    const trace = new TextTrace(source, {
      format: 'text of perf script',
      lines: (facts) => new PerfScriptLines(facts),
      wrong: wrongInTools,
    });
    // `perf script --header` says what the machine was.
    const { prefix } = source;
    const head = Buffer.from(prefix.buffer, prefix.byteOffset, Math.min(prefix.length, 1 << 14)).toString(
      'latin1',
    );
    trace.facts.kernel = /^# os release : (\S+)/m.exec(head)?.[1] ?? null;
    trace.facts.arch = /^# arch : (\S+)/m.exec(head)?.[1] ?? null;
    return trace;
  },
};
