import { FIELD_OK, type FieldSpec, type FieldValues, fieldNumber, fieldText } from '../core/fields.ts';
import type { PageAddresses } from './addresses.ts';
import type { KernelFacts } from './generation.ts';
import { EVENT_SIGNATURES, FUNCTION_SIGNATURES, VM_FAULT_WRITE } from './kernels.ts';
import { decodedPte, decodePte, PTE_LEVEL } from './pte.ts';

/** What lessons may draw on and add to. */
export interface Learning {
  readonly pages: PageAddresses;
  readonly kernel: KernelFacts;
  /** The trace comes from an x86-64 machine: this record proves it. */
  proveX86(how: string): void;
  /** Task of the record. */
  readonly pid: number;
  /** Frame of the entry that a task's last record printed. */
  readonly nearFrame: Map<number, number>;
  /** Folio pointers last seen mapped as anonymous memory. */
  readonly anon: Set<number>;
}

/** What one event's records can teach about the machine: looked at only while something is still unknown. */
export interface Lesson {
  readonly event: string;
  readonly fields: readonly FieldSpec[];
  learn(values: FieldValues, learning: Learning): void;
}

function lesson(event: string, fields: readonly FieldSpec[], learn: Lesson['learn']): Lesson {
  return { event, fields, learn };
}

/** A record that prints a page's address and its pfn. Hashed addresses have another state and say nothing. */
const pageAndPfn = (event: string, key: string): Lesson =>
  lesson(
    event,
    [
      { key, form: 'ptr' },
      { key: 'pfn', form: 'int' },
    ],
    (values, { pages }) => {
      if (values.state[0] === FIELD_OK && values.state[1] === FIELD_OK && values.hi[1]! >= 0) {
        pages.pair(fieldNumber(values, 0), fieldNumber(values, 1), event);
      }
    },
  );

/** A record that prints a page's address and the entry that maps it. */
const pageAndPte = (event: string): Lesson =>
  lesson(
    event,
    [
      { key: 'page', form: 'ptr' },
      { key: 'pte', form: 'hex' },
    ],
    (values, { pages, kernel }) => {
      if (values.state[0] !== FIELD_OK || values.state[1] !== FIELD_OK || values.hi[0]! >= 0) return;
      if (!kernel.pte.x86 || !(values.lo[1]! & 1)) return;
      decodePte(values.lo[1]!, values.hi[1]!, PTE_LEVEL, kernel.pte);
      pages.pair(fieldNumber(values, 0), decodedPte.frame, event);
    },
  );

/**
 * Two records of one task, of which the first prints an entry and the second the page that it maps:
 * do_wp_page and wp_page_copy, pte_clear and remove_rmap_ptes. A pair that does not belong together gives no
 * base on a 1 GiB boundary.
 */
const entryBefore = (event: string): Lesson =>
  lesson(event, [{ key: 'pte', form: 'hex' }], (values, { kernel, nearFrame, pid }) => {
    if (!kernel.pte.x86 || values.state[0] !== FIELD_OK || !(values.lo[0]! & 1)) return;
    decodePte(values.lo[0]!, values.hi[0]!, PTE_LEVEL, kernel.pte);
    if (decodedPte.frame > 0) nearFrame.set(pid, decodedPte.frame);
  });
const pageBehind = (event: string, before: string): Lesson =>
  lesson(event, [{ key: 'page', form: 'ptr' }], (values, { pages, nearFrame, pid }) => {
    const frame = nearFrame.get(pid);
    nearFrame.delete(pid);
    if (frame !== undefined && values.state[0] === FIELD_OK) {
      pages.pair(fieldNumber(values, 0), frame, `${before} and ${event}`);
    }
  });

/** A record in which the kernel prints vmemmap_base. */
const vmemmapBase = (event: string): Lesson =>
  lesson(event, [{ key: 'vb', form: 'ptr' }], (values, { pages }) => {
    if (values.state[0] === FIELD_OK) pages.told(fieldNumber(values, 0));
  });

/**
 * Page faults of user mode exist as a tracepoint on x86 and RISC-V. x86 sets bit 2 (user) and hardly ever bit 3;
 * the RISC-V causes are 12, 13 and 15, which all have bit 3.
 */
const userFault = lesson('page_fault_user', [{ key: 'error_code', form: 'hex' }], (values, learning) => {
  if (values.state[0] === FIELD_OK && (values.lo[0]! & 12) === 4) {
    learning.proveX86('error_code of page_fault_user');
  }
});

/** Syscall wrappers are named by architecture. */
const syscallWrapper = (event: string): Lesson =>
  lesson(event, [{ key: '@func', form: 'bytes' }], (values, learning) => {
    if (fieldText(values, 0).startsWith('__x64_sys_')) learning.proveX86('a probe on __x64_sys_*');
  });

/** A present word of user memory that is read-only: low bits x01 with user set exist on x86 only. */
const faultWord = (event: string, key: string): Lesson =>
  lesson(event, [{ key, form: 'hex' }], (values, learning) => {
    if (values.state[0] === FIELD_OK && (values.lo[0]! & 0x27) === 0x25) {
      learning.proveX86(`${key}= of ${event}: a present, read-only, accessed user entry of x86`);
    }
  });

/** page_ref records print the flags by name. */
const pageRef = (event: string): Lesson =>
  lesson(
    event,
    [
      { key: 'flags', form: 'bytes' },
      { key: 'mapcount', form: 'int' },
    ],
    (values, { kernel }) => {
      if (values.state[0] === FIELD_OK && fieldText(values, 0).includes('owner_2')) {
        kernel.prove('page flag owner_2', {
          from: 6012,
          source: 'include/trace/events/mmflags.h: mappedtodisk is called owner_2 since 6.12',
        });
      }
      if (fieldNumber(values, 1) === -1) kernel.sawRawMapcount();
    },
  );

/** do_wp_page and its callers return VM_FAULT_WRITE up to 6.1. */
const faultReturn = (event: string): Lesson =>
  lesson(event, [{ key: 'ret', form: 'hex' }], (values, { kernel }) => {
    if (values.state[0] === FIELD_OK && values.lo[0] === VM_FAULT_WRITE && values.hi[0] === 0) {
      kernel.prove('VM_FAULT_WRITE returned', {
        to: 6001,
        source: 'include/linux/mm_types.h: removed in 6.2',
      });
    }
  });

const mapsAnon = (event: string, key: string): Lesson =>
  lesson(event, [{ key, form: 'ptr' }], (values, { anon }) => {
    if (values.state[0] === FIELD_OK && anon.size < 100_000) anon.add(fieldNumber(values, 0));
  });
const mapsFile = (event: string, key: string): Lesson =>
  lesson(event, [{ key, form: 'ptr' }], (values, { anon }) => {
    anon.delete(fieldNumber(values, 0));
  });

/** The flags of a page that is mapped now and was last mapped as anonymous memory. */
const anonWord = (event: string, folio: string, flags: string, always: boolean): Lesson =>
  lesson(
    event,
    [
      { key: folio, form: 'ptr' },
      { key: flags, form: 'hex' },
    ],
    (values, { kernel, anon }) => {
      if (values.state[0] !== FIELD_OK || values.state[1] !== FIELD_OK || values.hi[0]! >= 0) return;
      // One word for each time that a page is mapped: a page that became something else unseen counts once.
      if (anon.delete(fieldNumber(values, 0)) || always) kernel.pageFlagFit.word(values.lo[1]!);
    },
  );

const grab = (event: string, key: string): Lesson =>
  lesson(event, [{ key, form: 'hex' }], (values, { kernel }) => {
    if (values.state[0] === FIELD_OK) kernel.gupFlagFit.word(values.lo[0]!);
  });

/** Everything that records teach, by event. An event may have several lessons. */
export const LESSONS: readonly Lesson[] = [
  // The architecture first: the others read table words.
  userFault,
  ...['swapoff', 'swapon', 'so_in', 'so_out', 'swapoff_ret', 'swapon_ret'].map(syscallWrapper),
  ...['do_wp_page', 'wp_page_copy'].map((event) => faultWord(event, 'pte')),
  faultWord('wp_in', 'opte'),
  ...['mm_page_alloc', 'mm_page_free', 'mm_page_free_batched', 'mm_vmscan_write_folio'].map((event) =>
    pageAndPfn(event, 'page'),
  ),
  ...['mm_lru_insertion', 'mm_lru_activate'].map((event) => pageAndPfn(event, 'folio')),
  ...['wp_page_copy', 'wp_page_reuse'].map(pageAndPte),
  ...['do_wp_page', 'pte_clear'].map(entryBefore),
  ...['wp_page_copy', 'wp_page_reuse'].map((event) => pageBehind(event, 'do_wp_page')),
  ...['remove_rmap_ptes', 'remove_rmap'].map((event) => pageBehind(event, 'pte_clear')),
  ...['wp_in', 'mm_new'].map(vmemmapBase),
  ...['page_ref_mod', 'page_ref_mod_and_test', 'page_ref_mod_unless', 'page_ref_set'].map(pageRef),
  ...['wp_out', 'flt_out', 'do_wp_page_ret', 'handle_mm_fault_ret'].map(faultReturn),
  ...['add_new_anon_rmap', 'add_anon_rmap_ptes', 'move_anon_rmap', 'rm_new', 'rm_anon', 'rm_move'].map(
    (event) => mapsAnon(event, 'folio'),
  ),
  ...['rm_new', 'rm_anon', 'rm_move'].map((event) => mapsAnon(event, 'page')),
  ...['add_file_rmap_ptes', 'rm_file'].map((event) => mapsFile(event, 'folio')),
  mapsFile('rm_file', 'page'),
  anonWord('wp_can_reuse', 'folio', 'pflags', true),
  anonWord('rm_del', 'folio', 'pfl', false),
  anonWord('rm_del', 'page', 'pfl', false),
  anonWord('folio_unlock', 'folio', 'pflags', false),
  ...['try_grab_folio', 'try_grab_folio_fast', 'gup_put_folio'].map((event) => grab(event, 'gup_flags')),
  ...['grab', 'grabf', 'grab_in', 'grabf_in', 'gput'].map((event) => grab(event, 'gf')),
];

/** What an event's name, and the function that its probe names, prove about the kernel. */
export function learnFromName(event: string, func: string, kernel: KernelFacts): void {
  const byEvent = EVENT_SIGNATURES.get(event);
  if (byEvent !== undefined) kernel.prove(`tracepoint ${event}`, byEvent);
  const byFunction = FUNCTION_SIGNATURES.get(func);
  if (byFunction !== undefined) kernel.prove(`probe on ${func}`, byFunction);
}
