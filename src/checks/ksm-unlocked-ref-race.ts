import { ksmGet, refFreeze } from '../events/index.ts';
import type { Check } from './check.ts';
import { isWhole } from './evidence.ts';
import { surelyBefore } from './integrity.ts';
import { evidenceOf } from './write-fault.ts';

const ID = 'ksm-unlocked-ref-race';

export const ksmUnlockedRefRace: Check = {
  id: ID,
  statement:
    'A lookup in the stable tree took its reference between the test that the writer is the sole user and the reuse.',
  origin: 'Kirill Tkhai, 2020-08-24 (GET_KSM_PAGE_NOLOCK); 52d1e606ee73',
  severity: 'critical',
  needs: ['wp.begin', 'wp.test', 'ksm.get', 'ref.freeze'],
  specificity: 5,
  example: `Fires:
  lock P; ref==1: ok                | ksmd: mapping ok, ref=2, mapping ok, same bytes
  mapping:=anon; PTE W; store       | replace_page(B -> P): B sees A's data
Silent: the count is frozen 1->0 first: the lookup fails, the node is stale
Silent: the lookup comes first: the freeze fails, the page is copied`,
  start(context) {
    const s = context.state;
    /** Pages whose count was frozen, by the task that did it. */
    const frozen = new Map<number, { readonly pfn: number; readonly seq: number }>();
    return {
      after: [
        [
          refFreeze,
          (e) => {
            if (e.args[e.at + refFreeze.at.ok] === 1)
              frozen.set(e.pid, { pfn: e.args[e.at + refFreeze.at.pfn]!, seq: e.seq });
          },
        ],
      ],
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || d.page !== 'ksm') return;
        const node = s.machines.ksm.get(d.pfn);
        if (s.sources.seen[ksmGet.code] === 0 || node === undefined) {
          context.cannot(node === undefined ? 'ksm.node' : 'ksm.get');
          return;
        }
        context.judged();
        const freeze = frozen.get(d.pid);
        if (freeze !== undefined && freeze.pfn === d.pfn && freeze.seq > d.seq) return;
        const tested = d.wp.test?.seq ?? d.seq;
        if (node.getSeq <= tested || node.getSeq >= d.outcomeSeq || node.getPid === d.pid) return;
        const get = { ns: node.getNs, cpu: node.getCpu };
        const ordered =
          surelyBefore(d, get, context.skewNs()) &&
          surelyBefore(get, { ns: s.ns, cpu: d.cpu }, context.skewNs());
        const certain = ordered && d.wp.test !== null && isWhole(s);
        context.report({
          check: ID,
          severity: 'critical',
          verdict: certain ? 'proven' : 'suspect',
          cause: 'lookup-in-between',
          moment: d.seq,
          place: fault.place,
          values: { ...fault.values, reader: node.getPid },
          evidence: [
            ...evidenceOf(fault),
            { seq: node.getSeq, role: 'cause' as const, text: 'the stable tree lookup takes a reference' },
          ].sort((a, b) => a.seq - b.seq),
          missing: certain ? null : ordered ? 'wp.test' : 'the order of two CPUs',
        });
      },
    };
  },
};
