// The formats that an input is tried against. Adding one is a file and a line here.
export { jsonEvents } from './json-lines.ts';
export { perfData } from './perf-data.ts';
export { perfScript } from './perf-script.ts';
export { traceCmdReport } from './trace-cmd-report.ts';
export { traceDat } from './trace-dat.ts';
export { tracefsText } from './tracefs-text.ts';
export {
  ancientPerfData,
  compressedAtrace,
  ctf,
  ftraceDump,
  histogram,
  html,
  jsonLines,
  perfettoTrace,
  utf16,
} from './unread-formats.ts';
