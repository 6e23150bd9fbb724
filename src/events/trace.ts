import { kind } from './declare.ts';

export const traceSegment = kind(
  'trace.segment',
  'a segment begins: nothing known before it holds after it; overwritten is how many records its header says were lost before the first one of each CPU, cpus how many CPUs it names',
  {
    overwritten: 'count',
    cpus: 'count',
  },
);
export const traceLost = kind(
  'trace.lost',
  'records of one CPU were lost just before its next record; cpu -1 for any CPU, count unknown if not told',
  {
    cpu: 'cpu',
    count: 'count',
  },
);
export const traceCpuStarted = kind(
  'trace.cpu-started',
  'first record of a CPU whose earlier records were overwritten',
  { cpu: 'cpu' },
);
export const traceCut = kind(
  'trace.cut',
  'the input ended in the middle of a record or of its compression',
  {},
);
