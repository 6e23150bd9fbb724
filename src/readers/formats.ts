// The formats that an input is tried against. Adding one is a file and a line here.
export { tracefsText } from './tracefs-text.ts';
export {
  ctf,
  ftraceDump,
  histogram,
  html,
  jsonLines,
  perfData,
  perfettoTrace,
  perfScript,
  traceCmdReport,
  traceDat,
  utf16,
} from './unread-formats.ts';
