/** Records of somebody else: another task, on its own pages, and events that have nothing to do with memory. */
import { type Capture, chance, type Line } from '../../replay/capture-text.ts';

const VMEMMAP = 0xffffea0000000000n;
const PID = 777_777;
const MM = '0xffff8880077a5500';
const TABLE = 0xffff88800b1f5000n;
const ADDRESS = 0x55d000000000;
const FIRST_FRAME = 0x50000;

/** One thing that somebody else does: `n` counts them. */
type Deed = (n: number) => readonly string[];

function page(n: number): {
  readonly frame: string;
  readonly folio: string;
  readonly address: string;
  readonly ptep: string;
  readonly pte: bigint;
} {
  const pfn = FIRST_FRAME + n;
  return {
    frame: `0x${pfn.toString(16)}`,
    folio: `0x${(VMEMMAP + BigInt(pfn) * 64n).toString(16)}`,
    address: `0x${(ADDRESS + n * 4096).toString(16)}`,
    ptep: `0x${(TABLE + BigInt(n % 512) * 8n).toString(16)}`,
    pte: 0x8000000000000000n | (BigInt(pfn) << 12n),
  };
}

const DEEDS: readonly Deed[] = [
  () => ['sched_wakeup: comm=noise pid=777777 prio=120 target_cpu=000'],
  () => ['irq_handler_entry: irq=4 name=ttyS0', 'irq_handler_exit: irq=4 ret=handled'],
  () => [`sys_madvise(start: 55d0${'0'.repeat(8)}, len_in: 1000, behavior: 4)`, 'sys_madvise -> 0x0'],
  // A first touch.
  (n) => {
    const { folio, address, ptep, pte } = page(n);
    return [
      `page_fault_user: address=${address} ip=0x41e0a5 error_code=0x6`,
      `do_anonymous_page: (do_anonymous_page+0x0/0x6c0) addr=${address} fflags=0x1255 mm=${MM}`,
      `add_new_anon_rmap: (folio_add_new_anon_rmap+0x4/0x1a0) folio=${folio} vma=0xffff888000eef000 mm=${MM} addr=${address} flags=0x1`,
      `pte_set: (__page_table_check_ptes_set+0x4/0x190) mm=${MM} ptep=${ptep} old=0x0 pte=0x${(pte | 0x867n).toString(16)} nr=1`,
      'do_anonymous_page_ret: (__handle_mm_fault+0x2db/0x630 <- do_anonymous_page) ret=0x0',
    ];
  },
  // A write fault of its own that reuses its page.
  (n) => {
    const { frame, folio, address, pte } = page(n);
    return [
      `page_ref_mod_and_test: pfn=${frame} flags=uptodate|lru|swapbacked count=1 mapcount=0 mapping=ffff888000ef2069 mt=1 val=-1 ret=0`,
      `page_fault_user: address=${address} ip=0x41e0a5 error_code=0x7`,
      `do_wp_page: (do_wp_page+0x0/0x5e0) addr=${address} fflags=0xa55 pte=0x${(pte | 0x825n).toString(16)} vma=0xffff888000eef000 mm=${MM}`,
      `move_anon_rmap: (folio_move_anon_rmap+0x4/0x40) folio=${folio} vma=0xffff888000eef000`,
      `folio_unlock: (folio_unlock+0x4/0x30) folio=${folio} ref=1 pflags=0x20029`,
      `wp_page_reuse: (wp_page_reuse+0x0/0xf0) addr=${address} page=${folio} folio=${folio} mm=${MM} ref=1 map=0 pflags=0x20828`,
      'do_wp_page_ret: (__handle_mm_fault+0x2db/0x630 <- do_wp_page) ret=0x0',
    ];
  },
];

/** A capture with this share of further records that have nothing to do with the others. */
export function noisy({ head, lines }: Capture, share: number, seed: number): Capture {
  const next = chance(seed);
  const wanted = Math.round(lines.length * share);
  const inserted = new Map<number, Line[]>();
  const places: number[] = [];
  const deeds: (readonly string[])[] = [];
  for (let records = 0, n = 0; records < wanted; n++) {
    const deed = DEEDS[Math.floor(next() * DEEDS.length)]!(n);
    deeds.push(deed);
    places.push(1 + Math.floor(next() * (lines.length - 1)));
    records += deed.length;
  }
  // One task does them one after the other, however they are spread.
  places.sort((x, y) => x - y);
  for (const [i, deed] of deeds.entries()) {
    const { time, cpu } = lines[places[i]! - 1]!;
    const made = deed.map(
      (text): Line => ({
        text: `           noise-${PID}  ( ${PID}) [${String(cpu).padStart(3, '0')}] .....  ${time}: ${text}`,
        pid: PID,
        cpu,
        time,
        event: /^\w+/.exec(text)![0],
      }),
    );
    inserted.set(places[i]!, [...(inserted.get(places[i]!) ?? []), ...made]);
  }
  return { head, lines: lines.flatMap((line, i) => [...(inserted.get(i) ?? []), line]) };
}
