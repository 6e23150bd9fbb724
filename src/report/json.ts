import type { Coverage, Divergence, Place } from '../checks/finding.ts';
import type { Analysis, TraceFacts } from '../replay/analysis.ts';
import { fitJson } from './fit.ts';
import { absoluteNs, entryOrNull, hexOrNull } from './format.ts';
import { summary } from './sentences.ts';
import { taskNames } from './tasks.ts';

/** A value that JSON.stringify writes as it stands. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Counts by name, in the order of names. */
function counts(map: ReadonlyMap<string, number> | Readonly<Record<string, number>>): Json {
  const entries = map instanceof Map ? [...map] : Object.entries(map as Readonly<Record<string, number>>);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a trace is, as `trace` of every schema. */
export function traceJson(trace: TraceFacts): Json {
  const ns = (at: number | null): string | null => (at === null ? null : absoluteNs(trace.originNs, at));
  return {
    path: trace.path,
    format: trace.format,
    kernel: trace.kernel?.release ?? null,
    kernel_how: trace.kernel?.how ?? null,
    arch: trace.arch,
    clock: trace.clock,
    records: trace.records,
    events: trace.events,
    first_ns: ns(trace.firstNs),
    last_ns: ns(trace.lastNs),
    cpus: [...trace.cpus],
    tasks: trace.tasks.map(({ pid, comm, tgid }) => ({ pid, comm, tgid })),
    segments: trace.segments,
    lost: trace.lost.map(({ cpu, count, afterSeq }) => ({ cpu, count, after_seq: afterSeq })),
    truncated: trace.truncated,
    unknown_events: counts(trace.unknownEvents),
    parse_errors: trace.parseErrors.map(({ line, text, reason }) => ({ line, text, reason })),
    parse_error_count: trace.parseErrorCount,
    counters: trace.counters.map(({ name, count, severity, advice }) => ({ name, count, severity, advice })),
  };
}

/** Coverage of the checks, as `coverage` of every schema. */
export function coverageJson(coverage: readonly Coverage[]): Json {
  return coverage.map(({ check, judged, cannotJudge, missing }) => ({
    check,
    judged,
    cannot_judge: cannotJudge,
    missing: [...missing],
  }));
}

/** One object of `faultline.analysis/1`: everything that is known of one input. What is not known is null. */
export function analysisJson(analysis: Analysis): Json {
  const { trace, decisions } = analysis;
  const tasks = taskNames(trace);

  const place = (at: Place): { readonly [key: string]: Json } => ({
    seq: at.seq,
    ns: absoluteNs(trace.originNs, at.ns),
    cpu: at.cpu,
    task: at.pid === null ? null : { pid: at.pid, comm: tasks.comm(at.pid) },
    mm: hexOrNull(at.mm),
    address: hexOrNull(at.address),
    pfn: hexOrNull(at.pfn),
    entry: entryOrNull(at.entry),
  });

  const divergence = (found: Divergence): Json => ({
    id: found.id,
    check: found.check,
    severity: found.severity,
    verdict: found.verdict,
    cause: found.cause,
    count: found.count,
    first_seq: found.firstSeq,
    last_seq: found.lastSeq,
    members: found.members.map(place),
    consequences: found.consequences.map(({ check, severity, verdict, evidence }) => ({
      check,
      severity,
      verdict,
      evidence: evidence.map(({ seq, role, text }) => ({ seq, role, text })),
    })),
    ...place(found.place),
    new_pfn: hexOrNull(found.place.newPfn),
    summary: summary(found, analysis),
    evidence: found.evidence.map(({ seq, role, text }) => ({ seq, role, text })),
    missing: found.missing,
    fingerprint: found.fingerprint,
  });

  return {
    schema: 'faultline.analysis/1',
    trace: traceJson(trace),
    variant: analysis.variant,
    auto: analysis.auto === null ? null : { ...analysis.auto, also: [...analysis.auto.also] },
    rules: fitJson(analysis.fit),
    coverage: coverageJson(analysis.coverage),
    given_by: { ...analysis.givers },
    divergences: analysis.divergences.map(divergence),
    decisions: {
      reuse: decisions.reuse,
      copy: decisions.copy,
      wait: decisions.wait,
      unknown: decisions.unknown,
      by_reason: { reuse: counts(decisions.byReason.reuse), copy: counts(decisions.byReason.copy) },
      not_judged: counts(decisions.notJudged),
    },
    fidelity: Object.fromEntries(
      Object.entries(analysis.fidelity).map(([name, { compared, agreed, raced, unknown }]) => [
        name,
        { compared, agreed, raced, unknown },
      ]),
    ),
    interrupted: analysis.interrupted,
  };
}
