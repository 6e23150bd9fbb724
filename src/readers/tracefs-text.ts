import type { TraceFormat } from './format.ts';
import { COMM_WIDTH, findHead, LineHead } from './line-head.ts';
import { TextTrace } from './text-trace.ts';
import { TracefsLines } from './tracefs-lines.ts';

const LINE_FEED = 10;
/** In front of the lines of a stack. */
const STACK = ' => ';
/** Line feeds behind the text, so that scans of a line end. */
const SLACK = 64;

/** Text of tracefs: `trace`, `trace_pipe`, `snapshot`, with any of their headers or none. */
export const tracefsText: TraceFormat = {
  name: 'tracefs text',
  sniff(prefix) {
    const text = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length);
    const tracer = text.subarray(0, 4096).indexOf('# tracer: ');
    if (tracer === 0 || (tracer > 0 && (text[tracer - 1] === LINE_FEED || tracer === 3))) return 90;
    return headlessScore(text);
  },
  open: (source) =>
    new TextTrace(source, { format: 'tracefs text', lines: (facts) => new TracefsLines(facts) }),
};

/** Without a header: do the first lines have task, CPU and time where tracefs prints them? */
function headlessScore(text: Buffer): number {
  const padded = Buffer.concat([text, Buffer.alloc(SLACK, LINE_FEED)]);
  const head = new LineHead();
  let lines = 0;
  let matched = 0;
  for (let at = 0; at < text.length && lines < 40; ) {
    const feed = padded.indexOf(LINE_FEED, at);
    if (feed >= text.length && lines > 0) break;
    const start = padded.toString('latin1', at, at + 4);
    const skip = feed - at < COMM_WIDTH || start === 'CPU:' || start === STACK || start[0] === '#';
    if (!skip) {
      lines++;
      if (head.match(padded, at + COMM_WIDTH) && padded[at + COMM_WIDTH] === 45) matched++;
      else if (findHead(head, padded, at, feed) >= 0) matched++;
    }
    at = feed + 1;
  }
  return matched > 0 && matched * 2 >= lines ? 60 : 0;
}
