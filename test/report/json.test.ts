import { expect, test } from 'vitest';
import { jsonLine } from '../../src/report/escape.ts';
import { infoJson } from '../../src/report/info.ts';
import { analysisJson } from '../../src/report/json.ts';
import { expectGolden } from '../golden.ts';
import { analysis, divergence, facts, PLACE } from './sample.ts';

test('an analysis has the fields of faultline.analysis/1', () => {
  const value = analysisJson(analysis({ divergences: [divergence()] }));
  expectGolden('report/analysis.json', `${JSON.stringify(value, null, 1)}\n`);
});

test('what is not known is null, and times are exact beyond 2^53', () => {
  const place = {
    ...PLACE,
    cpu: null,
    pid: null,
    mm: null,
    address: null,
    pfn: null,
    newPfn: null,
    entry: null,
  };
  const trace = facts({ originNs: 2n ** 60n, kernel: null, clock: null });
  const value = JSON.parse(
    jsonLine(
      analysisJson(
        analysis({ trace, variant: null, divergences: [divergence({ place, members: [place] })] }),
      ),
    ),
  );
  expect(value.variant).toBeNull();
  expect(value.trace).toMatchObject({ kernel: null, clock: null, first_ns: String(2n ** 60n) });
  expect(value.divergences[0]).toMatchObject({
    ns: String(2n ** 60n + 12_345_000n),
    cpu: null,
    task: null,
    mm: null,
    address: null,
    pfn: null,
    new_pfn: null,
    entry: null,
  });
});

test('JSON is one line, safe to print, and parses to what the trace says', () => {
  const comm = 'a\u001b[2J\u202e\u009b\u007f\ufffd\u{e0001}\ud800';
  const line = jsonLine(infoJson(analysis({ trace: facts({ tasks: [{ pid: 1, comm, tgid: null }] }) })));
  expect(line).not.toMatch(/[^\u0020-\u007e]/);
  expect(JSON.parse(line).trace.tasks[0].comm).toBe(comm);
});
