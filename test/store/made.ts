import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Input } from '../../src/core/input.ts';
import type { Analysis } from '../../src/replay/analysis.ts';
import { ALL_UNDECLARED, type AnalyzeOptions, analyze } from '../../src/replay/analyze.ts';
import { eventsOf, isCase } from '../../src/replay/case-source.ts';
import type { IngestOptions } from '../../src/replay/ingest.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';

/** Everything, nothing declared. */
export const OPTIONS: AnalyzeOptions = ALL_UNDECLARED;

/** Events of a trace in this thread: a worker cannot be started from sources. */
export const source = (input: Input, options: IngestOptions) =>
  isCase(input) ? eventsOf(input, options) : ingestHere(input, options);

const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
let made = 0;

/** A path for a file that is gone after the tests. */
export function place(name = 'x.case'): string {
  return join(folder, `${made++}-${name}`);
}

const recorded = new Map<string, Promise<{ path: string; analysis: Analysis }>>();

async function record(trace: string): Promise<{ path: string; analysis: Analysis }> {
  const path = place();
  const analysis = await analyze(trace, OPTIONS, { source, record: { path, program: 'test' } });
  return { path, analysis };
}

/** A trace of traces/ recorded in a case that nobody changes, and the analysis that was made on the way. */
export function caseOf(name: string): Promise<{ path: string; analysis: Analysis }> {
  const trace = `traces/${name}.txt.gz`;
  const known = recorded.get(trace) ?? record(trace);
  recorded.set(trace, known);
  return known;
}

/** A copy of such a case, to be spoilt. */
export async function copyOf(name: string): Promise<string> {
  const { path } = await caseOf(name);
  const copy = place();
  copyFileSync(path, copy);
  return copy;
}
