import { PG_HEAD } from '../core/pageflags.ts';
import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import { MAPPING_ANON } from '../events/flags.ts';
import { pteAccess, pteSet, pteWrite, ptlUnlock, refAdd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { SLOT_KNOWN, SLOT_UNKNOWN } from '../state/ptes.ts';
import type { MmState } from '../state/state.ts';
import type { CheckContext, CheckRun } from './check.ts';
import { actorOf, hexText } from './evidence.ts';
import type { Evidence } from './finding.ts';
import type { Pending } from './pending.ts';

/** A present PTE of a page, as the state knows it. */
export interface Mapper {
  readonly slot: number;
  readonly mm: number;
  readonly va: number;
  /** Whether it is writable; undefined where a fork may have taken the bit unseen. */
  readonly write: boolean | undefined;
  /** Event that told. */
  readonly seq: number;
}

/** Present PTEs of a page. */
export function mappersOf(s: MmState, row: number): Mapper[] {
  const found: Mapper[] = [];
  for (let at = s.pages.col.slot[row]!; at !== 0; at = s.ptes.next[at - 1]!) {
    const slot = at - 1;
    const know = s.ptes.know[slot]!;
    if (know === SLOT_UNKNOWN || (s.ptes.bits[slot]! & PTE_KIND) !== PTE_PRESENT) continue;
    found.push({
      slot,
      mm: s.ptes.mms.key(s.ptes.owner(slot)),
      va: s.ptes.address(slot),
      write: know === SLOT_KNOWN ? (s.ptes.bits[slot]! & PTE_WRITE) !== 0 : undefined,
      seq: s.ptes.seq[slot]!,
    });
  }
  return found;
}

/** A small page of anonymous memory that KSM does not own. */
export function isSmallAnon(s: MmState, row: number): boolean {
  const c = s.pages.col;
  return c.mapping[row] === MAPPING_ANON + 1 && c.large[row] === 0 && !(c.flags[row]! & PG_HEAD);
}

/** A PTE in evidence. */
export function mapperEvidence(
  { mm, va, write, seq }: Mapper,
  pfn: number,
  role: Evidence['role'],
): Evidence {
  const where = Number.isNaN(va) ? `mm ${mm}` : hexText(va);
  return {
    seq,
    role,
    text: `PTE at ${where}: ${hexText(pfn)}${write === true ? ', writable' : write === false ? ', read-only' : ''}`,
  };
}

/**
 * Looks at the PTEs of an anonymous page whenever one of them was written and no section of a page-table lock is open
 * on its mms. A mapping whose end is not told would make a page look shared: so what is found is a suspect until a
 * reading of the page's own mapcount says that more than one PTE maps it.
 */
export function watchSharing(
  context: CheckContext,
  pending: Pending,
  look: (e: Cursor, row: number, pfn: number, mappers: readonly Mapper[]) => void,
): CheckRun {
  const s = context.state;
  /** Pages written inside a section that is still open. */
  const waiting = new Set<number>();
  /**
   * A write bit that was told before the page got another mapping: that may have been a fork, which takes the bit. Only
   * a trace that tells every PTE tells that too; on others the bit counts where it was told behind the other mapping.
   */
  const surely = (mappers: readonly Mapper[]): Mapper[] => {
    const whole = s.sources.seen[pteWrite.code] === 1;
    const last = Math.max(...mappers.map(({ seq }) => seq));
    return mappers.map((one) =>
      whole || one.seq === last || !one.write ? one : { ...one, write: undefined },
    );
  };
  const examine = (e: Cursor, pfn: number): void => {
    const row = s.pages.find(pfn);
    if (row < 0 || !isSmallAnon(s, row)) return;
    const first = s.pages.col.slot[row]!;
    // One PTE, as nearly always: nobody to share it with.
    if (first === 0 || s.ptes.next[first - 1] === 0) {
      context.judged();
      return;
    }
    const mappers = surely(mappersOf(s, row));
    if (s.tlb.locked(mappers.map(({ mm }) => mm))) {
      waiting.add(pfn);
      return;
    }
    waiting.delete(pfn);
    if (mappers.some(({ write }) => write === undefined)) {
      context.cannot('pte.write: write bits that fork may have taken unseen');
      return;
    }
    context.judged();
    look(e, row, pfn, mappers);
  };
  const written = (e: Cursor, bits: number, frame: number): void => {
    if ((bits & PTE_KIND) === PTE_PRESENT) examine(e, frame);
  };
  return {
    before: [
      [
        refAdd,
        (e) => {
          const { pfn, mapcount, count, mapping } = refAdd.at;
          const page = e.args[e.at + pfn]!;
          const raw = e.args[e.at + mapcount]!;
          if (pending.get(`${page}`) === undefined || Number.isNaN(raw)) return;
          const row = s.pages.find(page);
          if (row < 0 || s.pages.col.slot[row] === 0) {
            pending.settle(`${page}`);
            return;
          }
          const mappers = mappersOf(s, row);
          const writers = mappers.filter(({ write }) => write === true);
          if (raw < 1) pending.drop(`${page}`);
          // What the mapcount counts are others: no PTE is known to be writable any more, the page has become another
          // one, or a mapping ended that no record told the end of.
          else if (
            writers.length === 0 ||
            e.args[e.at + mapping] !== MAPPING_ANON ||
            raw + 1 < mappers.length
          )
            pending.settle(`${page}`);
          // In the midst of a copy or a fork the count may be on its way.
          else if (actorOf(s, e)?.forkPtes == null && e.args[e.at + count]! >= raw + 1)
            pending.confirm(`${page}`, {
              seq: e.seq,
              role: 'context',
              text: `the page itself says: mapcount ${raw + 1}`,
            });
        },
        pending.wake,
      ],
    ],
    after: [
      [pteWrite, (e) => written(e, e.args[e.at + pteWrite.at.value]!, e.args[e.at + pteWrite.at.value + 1]!)],
      [pteSet, (e) => written(e, e.args[e.at + pteSet.at.value]!, e.args[e.at + pteSet.at.value + 1]!)],
      [
        pteAccess,
        (e) => written(e, e.args[e.at + pteAccess.at.value]!, e.args[e.at + pteAccess.at.value + 1]!),
      ],
      [
        ptlUnlock,
        (e) => {
          for (const pfn of [...waiting]) examine(e, pfn);
        },
      ],
    ],
    finish: () => pending.finish(),
  };
}
