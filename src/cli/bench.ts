#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Command } from 'commander';
import { count } from '../report/format.ts';
import { table } from '../report/layout.ts';
import { askCase, type CaseCosts, recordCase } from './bench/case.ts';
import { type ChecksCost, checksCost } from './bench/checks.ts';
import { multiply } from './bench/multiply.ts';
import { countRecords, STAGES } from './bench/stages.ts';
import { inlineLess } from './compiler.ts';
import { explain, UsageError } from './exit.ts';

/** One row of the result. */
interface Timing {
  readonly stage: string;
  readonly seconds: number;
}

/** Rounds of a stage at least, and the seconds that it is repeated for: code that ran once is not compiled yet. */
const ROUNDS = 5;
const SECONDS = 5;

/** The best round: what the work costs when nothing else is going on. */
async function best(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  for (let round = 0; round < ROUNDS || performance.now() - begun < SECONDS * 1000; round++) {
    const start = performance.now();
    await work();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/** Runs a program for its time; null where it is not installed or fails. */
async function timedProgram(program: string, args: readonly string[]): Promise<number | null> {
  let works = true;
  const seconds = await best(async () => {
    if (works) works = spawnSync(program, [...args], { stdio: 'ignore' }).status === 0;
  });
  return works ? seconds : null;
}

function spreadText({ median, p99, worst }: CaseCosts['state']): string {
  return `median ${median} ms, p99 ${p99} ms, worst ${worst} ms`;
}

function checksText({ events, fold, checked, ratio }: ChecksCost): string {
  const ms = (time: number): string => `${Math.round(time * 1000)} ms`;
  return `checks  ${count(events)} events from memory: fold ${ms(fold)}, with all checks ${ms(checked)}; the checks cost ${ratio.toFixed(2)} times the fold`;
}

/** What the case costs to keep and to ask. */
function caseText({ events, bytes, open, state, page }: CaseCosts, text: number, gz: number | null): string {
  const share = (of: number): string => `${((bytes / of) * 100).toFixed(1)} %`;
  return [
    `case  ${count(events)} events, ${count(bytes)} bytes: ${share(text)} of the text${gz === null ? '' : `, ${share(gz)} of its gzip`}; opened in ${open} ms`,
    `state --at  ${spreadText(state)}`,
    `page        ${spreadText(page)}`,
  ].join('\n');
}

/** Times every stage on one trace and compares with what any program has to do: read the bytes. */
async function bench(options: { trace: string; events: string; json?: true }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    const text = join(folder, 'trace.txt');
    const gz = `${text}.gz`;
    const events = Number(options.events);
    if (!Number.isInteger(events) || events < 1)
      throw new UsageError('--events takes a whole number from 1 on');
    // A binary trace is taken as it is: only then can trace-cmd be asked for the same work.
    const binary = options.trace.endsWith('.dat');
    const made = binary
      ? { copies: 1, records: await countRecords(options.trace), bytes: statSync(options.trace).size }
      : await multiply(options.trace, events, text);
    const paths = binary ? { gz: options.trace, text: options.trace } : { gz, text };
    if (!binary) await pipeline(createReadStream(text), createGzip({ level: 6 }), createWriteStream(gz));

    const timings: Timing[] = [];
    for (const stage of STAGES) {
      timings.push({ stage: stage.name, seconds: await best(() => stage.run(paths[stage.on])) });
    }
    const checks = await checksCost(paths.text);
    const file = join(folder, 'trace.case');
    timings.push({ stage: 'analyze -o', seconds: await best(() => recordCase(paths.gz, file)) });
    const costs = askCase(file);
    const wc = await timedProgram('wc', ['-l', paths.text]);
    const traceCmd = binary ? await timedProgram('trace-cmd', ['report', options.trace]) : null;

    const ratio = (seconds: number, to: number | null): number | null =>
      to === null ? null : Math.round((seconds / to) * 100) / 100;
    const rows = [
      ...timings,
      ...(wc === null ? [] : [{ stage: 'wc -l', seconds: wc }]),
      ...(traceCmd === null ? [] : [{ stage: 'trace-cmd report', seconds: traceCmd }]),
    ].map(({ stage, seconds }) => ({
      stage,
      seconds: Math.round(seconds * 1e4) / 1e4,
      records_per_second: Math.round(made.records / seconds),
      ratio_to_wc: ratio(seconds, wc),
      ratio_to_trace_cmd: ratio(seconds, traceCmd),
    }));

    if (options.json) {
      const result = {
        schema: 'faultline.bench/1',
        trace: options.trace,
        ...made,
        gz_bytes: statSync(paths.gz).size,
      };
      console.log(JSON.stringify({ ...result, node: process.version, stages: rows, checks, case: costs }));
      return;
    }
    const right = { align: 'right' } as const;
    console.log(
      `${options.trace}, ${made.copies} times: ${count(made.records)} records, ${count(made.bytes)} bytes`,
    );
    console.log(
      table(
        [{}, right, right, right],
        [
          ['stage', 'seconds', 'records/s', 'times wc -l'],
          ...rows.map((row) => [
            row.stage,
            row.seconds.toFixed(3),
            count(row.records_per_second),
            row.ratio_to_wc?.toFixed(1) ?? '-',
          ]),
        ],
      ),
    );
    console.log(checksText(checks));
    console.log(caseText(costs, made.bytes, binary ? null : statSync(paths.gz).size));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

inlineLess();
try {
  await new Command('bench')
    .description('Times the stages of an analysis on a trace of the size asked for.')
    .option('--trace <file>', 'the trace that is multiplied', 'traces/V1-pin-guptest.txt.gz')
    .option('--events <n>', 'records to make of it, at least', '1000000')
    .option('--json', 'one JSON object')
    .action(bench)
    .parseAsync();
} catch (error) {
  const { code, lines } = explain(error, true);
  for (const line of lines) console.error(`bench: ${line}`);
  process.exitCode = code;
}
