/**
 * Everything by which an input can disappoint without being refused: counted under a name, with what was
 * lost and what to do.
 */
export interface CounterKind {
  readonly severity: 'info' | 'notice' | 'data-loss' | 'error';
  /** What was lost and what to do, one sentence. */
  readonly advice: string;
}

/** The catalogue. Keys are the names that reports print. */
export const READER_COUNTERS = {
  'stack-lines': {
    severity: 'info',
    advice: 'Lines of kernel or user stacks; they state no event of their own.',
  },
  'continuation-lines': {
    severity: 'notice',
    advice: 'Lines that continue the text of the record before (a marker or a file name with a line break).',
  },
  'function-lines': {
    severity: 'info',
    advice: 'Calls and returns of the function graph tracer; they state nothing about memory.',
  },
  'function-graph-events': {
    severity: 'notice',
    advice:
      'Events inside a function graph without time and task; set options funcgraph-abstime and funcgraph-proc, or use the nop tracer.',
  },
  'separator-lines': { severity: 'info', advice: 'Rulers and task switch marks of the tracer.' },
  'records-without-name': {
    severity: 'notice',
    advice: 'Records whose text names no event; they are kept by time and task only.',
  },
  'line-too-big': {
    severity: 'data-loss',
    advice:
      'The kernel could not print a record: it exists, its contents are unknown. The binary form has it.',
  },
  'failed-to-parse': {
    severity: 'data-loss',
    advice: 'The tool that printed the trace could not format a record; its contents are unknown.',
  },
  'damaged-pages': {
    severity: 'data-loss',
    advice: 'Pages of a ring buffer that are damaged or cut short; their records, or some of them, are lost.',
  },
  'damaged-samples': {
    severity: 'data-loss',
    advice: 'Samples that are shorter than their event says, or of no known event; they are not read.',
  },
  'records-dropped': {
    severity: 'data-loss',
    advice:
      'Records that found no room in a full buffer while recording; where they are missing is not known. Record with a larger buffer.',
  },
  'records-without-format': {
    severity: 'data-loss',
    advice: 'Records of a type that the file does not describe; they are not read.',
  },
  'records-of-second-buffer': {
    severity: 'notice',
    advice:
      'Records of events that another buffer of the file holds as well; only those of the first are read.',
  },
  'buffers-of-other-clock': {
    severity: 'data-loss',
    advice: 'Buffers whose clock is not that of the first one; they cannot be ordered and are not read.',
  },
  'unknown-options': {
    severity: 'info',
    advice: 'Parts of the header that a newer recording tool wrote; they are not read.',
  },
  'nul-bytes': {
    severity: 'data-loss',
    advice:
      'Runs of NUL bytes, as a crash leaves in a file that was being written; what stood there is lost.',
  },
  'time-backwards': {
    severity: 'notice',
    advice:
      'Records older than the record before on their CPU: its clock was adjusted, or another dump begins.',
  },
  'empty-files': {
    severity: 'info',
    advice: 'Files without a record among those read together: of a capture by CPU, CPUs that were idle.',
  },
  'dumps-without-header': {
    severity: 'notice',
    advice:
      'Places where stamps go back on a CPU: another dump begins there, and what was known before does not hold.',
  },
  'tasks-not-kept': {
    severity: 'notice',
    advice: 'Names of tasks beyond the first 262,144 were not kept.',
  },
} as const satisfies Record<string, CounterKind>;

export type CounterName = keyof typeof READER_COUNTERS;
