/**
 * One thing that another kernel would have done: a write fault that reused its page makes a copy instead. What happened
 * to the page from then on happens to the copy.
 */
import type { Capture, Line } from '../../replay/capture-text.ts';

const VMEMMAP = 0xffffea0000000000n;

/** A fault of do_wp_page that reused a page which had no other reference. */
export interface Reuse {
  /** Lines of its entry and of its return. */
  readonly from: number;
  readonly to: number;
  readonly pid: number;
  readonly address: number;
  readonly pfn: number;
  readonly mm: string;
  readonly oldPte: string;
  /** Where its PTE stands, as another record of the same page table tells. */
  readonly ptep: string;
}

function field(line: Line, key: string): string {
  return new RegExp(`\\b${key}=(?:0x)?([0-9a-f]+)`).exec(line.text)?.[1] ?? '';
}

/** Page-table pages by mm and region of 2 MiB. */
function tables(lines: readonly Line[]): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const line of lines) {
    if (line.event !== 'copy_present_ptes' && line.event !== 'ptep_clear_flush') continue;
    const region = BigInt(`0x${field(line, 'addr')}`) >> 21n;
    for (const [mm, ptep] of [
      ['mm', 'ptep'],
      ['src_mm', 'src_pte'],
      ['dst_mm', 'dst_pte'],
    ])
      if (field(line, ptep!) !== '')
        found.set(`${field(line, mm!)} ${region}`, BigInt(`0x${field(line, ptep!)}`) & ~0xfffn);
  }
  return found;
}

/** The faults that a plant can be made of. */
export function reuses({ lines }: Capture): Reuse[] {
  const known = tables(lines);
  const open = new Map<number, number>();
  const last = new Map<number, Line>();
  const found: Reuse[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.event === 'do_wp_page') {
      open.set(line.pid, i);
      last.delete(line.pid);
    } else if (line.event === 'wp_page_reuse') last.set(line.pid, line);
    else if (line.event === 'do_wp_page_ret') {
      const from = open.get(line.pid);
      const reuse = last.get(line.pid);
      if (from === undefined || reuse === undefined || !/ ref=1 map=0 /.test(reuse.text)) continue;
      const address = BigInt(`0x${field(reuse, 'addr')}`);
      const mm = field(reuse, 'mm');
      const table = known.get(`${mm} ${address >> 21n}`);
      if (table === undefined) continue;
      found.push({
        from,
        to: i,
        pid: line.pid,
        address: Number(address),
        pfn: Number((BigInt(`0x${field(reuse, 'page')}`) - VMEMMAP) / 64n),
        mm,
        oldPte: field(lines[from]!, 'pte'),
        ptep: (table + ((address >> 12n) & 511n) * 8n).toString(16),
      });
    }
  }
  return found;
}

/** A page frame that no record names. */
function unusedFrame({ lines }: Capture): number {
  const used = new Set(lines.map((line) => Number.parseInt(field(line, 'pfn') || '0', 16)));
  let frame = 0x60000;
  while (used.has(frame)) frame++;
  return frame;
}

function pointer(pfn: number): string {
  return (VMEMMAP + BigInt(pfn) * 64n).toString(16);
}

/** A text in which one page frame stands for another: as pfn, as pointer, in PTEs. */
function moved(text: string, from: number, to: number): string {
  const pte = (digits: string): string => {
    const word = BigInt(`0x${digits}`);
    const frame = (word >> 12n) & 0xffffffffffn;
    if ((word & 1n) === 0n || frame !== BigInt(from)) return digits;
    return (word ^ ((BigInt(from) ^ BigInt(to)) << 12n)).toString(16);
  };
  return text
    .replace(new RegExp(`\\bpfn=0x${from.toString(16)}\\b`, 'g'), `pfn=0x${to.toString(16)}`)
    .replaceAll(pointer(from), pointer(to))
    .replace(/\b(pte|old|orig_pte)=0x([0-9a-f]+)/g, (_all, key, digits) => `${key}=0x${pte(digits)}`);
}

/** The capture in which this fault makes a copy. */
export function planted(capture: Capture, fault: Reuse): Capture {
  const { lines } = capture;
  const entry = lines[fault.from]!;
  const end = lines[fault.to]!;
  const copy = unusedFrame(capture);
  const head = end.text.slice(0, end.text.indexOf(': do_wp_page_ret'));
  const { mm, oldPte, ptep } = fault;
  const address = fault.address.toString(16);
  const old = pointer(fault.pfn);
  const made = pointer(copy);
  const mapping = 'mapping=ffff888000ef1069 mt=1';
  const pfn = `pfn=0x${fault.pfn.toString(16)} flags=uptodate|lru|swapbacked`;
  const newPte = (0x8000000000000867n | (BigInt(copy) << 12n)).toString(16);
  const steps = [
    `page_ref_mod: ${pfn} count=2 mapcount=0 ${mapping} val=1`,
    `wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x${address} page=0x${old} pte=0x${oldPte} mm=0x${mm} ref=2 map=0 pflags=0x20028`,
    `ptep_clear_flush: (ptep_clear_flush+0x4/0x80) mm=0x${mm} addr=0x${address} ptep=0x${ptep}`,
    `pte_clear: (__page_table_check_pte_clear+0x4/0x40) mm=0x${mm} pte=0x${oldPte}`,
    `add_new_anon_rmap: (folio_add_new_anon_rmap+0x4/0x1a0) folio=0x${made} vma=0xffff888000eecc80 mm=0x${mm} addr=0x${address} flags=0x1`,
    `pte_set: (__page_table_check_ptes_set+0x4/0x190) mm=0x${mm} ptep=0x${ptep} old=0x0 pte=0x${newPte} nr=1`,
    `remove_rmap_ptes: (folio_remove_rmap_ptes+0x4/0x1a0) folio=0x${old} page=0x${old} nr=1 mm=0x${mm} map=0`,
    `page_ref_mod_and_test: ${pfn} count=1 mapcount=-1 ${mapping} val=-1 ret=0`,
    `page_ref_mod_and_test: ${pfn} count=0 mapcount=-1 ${mapping} val=-1 ret=1`,
    'wp_page_copy_ret: (__handle_mm_fault+0x2db/0x630 <- wp_page_copy) ret=0x0',
  ];
  const line = (text: string): Line => ({ ...end, text: `${head}: ${text}`, event: text.split(':')[0]! });
  // What others did meanwhile stays; of the faulting task's own records only its entry and its return.
  const between = lines.slice(fault.from + 1, fault.to).filter(({ pid }) => pid !== fault.pid);
  return {
    head: capture.head,
    lines: [
      ...lines.slice(0, fault.from),
      entry,
      ...between,
      ...steps.map(line),
      end,
      ...lines.slice(fault.to + 1).map((later) => ({ ...later, text: moved(later.text, fault.pfn, copy) })),
    ],
  };
}
