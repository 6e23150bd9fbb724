import {
  FIELD_ABSENT,
  FIELD_HASHED,
  FIELD_OK,
  type FieldForm,
  type FieldSpec,
  type FieldValues,
} from '../core/fields.ts';
import { entryOf } from '../core/pte.ts';
import { decodedPte, decodePte, PMD_IS_MIGRATION, PMD_LEVEL, PTE_IS_MIGRATION, PTE_LEVEL } from './pte.ts';
import type { DecodeContext } from './tracepoint.ts';

/** How a column turns a field into an argument. */
const INT = 0;
const POINTER = 1;
const PAGE = 2;
const PFN = 3;
const ENTRY = 4;
const SLOT = 5;
const TABLE_WORD = 6;
const FLAG_NAMES = 7;
const PAGE_FLAGS = 8;
const GUP_FLAGS = 9;
const FAULT_FLAGS = 10;
const TRUTH = 11;
const EQUALS = 12;
const CONSTANT = 13;
const OPENED = 14;
const OPENED_TABLE_WORD = 15;
const MASKED = 16;
const MAPPING = 17;
const RANGE_END = 18;
const NEGATED = 19;
const MAPCOUNT = 20;
/** An INT that is read through no pointer, as most are. */
const PLAIN = 21;
/** A POINTER that is read through no other. */
const NON_NULL = 22;

/** What an op becomes where the field is read through no pointer. */
const DIRECT: ReadonlyMap<number, number> = new Map([
  [INT, PLAIN],
  [POINTER, NON_NULL],
]);

/** Where one argument of an event comes from. */
export interface Column {
  readonly op: number;
  readonly key: string | null;
  readonly form: FieldForm;
  /** A second key: offset of a slot, start of a range. */
  readonly second: string | null;
  /** Pointer that the kernel read the field through: where it is null, the field says nothing. */
  readonly through: string | null;
  /** Constant, level of a table word, mask, value to equal, or cell of an opened entry. */
  readonly value: number;
}

function column(
  op: number,
  key: string | null,
  form: FieldForm,
  through?: string,
  value = 0,
  second?: string,
): Column {
  return { op, key, form, second: second ?? null, through: through ?? null, value };
}

/** A signed number. `through` names the pointer that it was read through. */
export const int = (key: string, through?: string): Column => column(INT, key, 'int', through);
/** A hexadecimal number, with or without 0x: an address or a length in bytes. */
export const va = (key: string, through?: string): Column => column(INT, key, 'hex', through);
/** A kernel pointer kept as it is (mm, ptep, node); null is unknown. */
export const ptr = (key: string, through?: string): Column => column(POINTER, key, 'ptr', through);
/** The pfn behind a struct page or folio pointer. */
export const page = (key: string): Column => column(PAGE, key, 'ptr');
/** A pfn printed as a number; all ones is no page. */
export const pfn = (key: string): Column => column(PFN, key, 'int');
/** A swp_entry_t: type in bits 58 and up, offset below, not inverted (include/linux/swapops.h). */
export const entry = (key: string, through?: string): Column => column(ENTRY, key, 'hex', through);
/** A slot given as device type and offset. */
export const slot = (type: string, offset: string): Column => column(SLOT, type, 'int', undefined, 0, offset);
/** A page-table entry word. */
export const pte = (key: string): Column => column(TABLE_WORD, key, 'hex', undefined, PTE_LEVEL);
/** A word of the PMD level. */
export const pmd = (key: string): Column => column(TABLE_WORD, key, 'hex', undefined, PMD_LEVEL);
/** A word that the record says is a migration entry. */
export const migration = (key: string): Column => column(TABLE_WORD, key, 'hex', undefined, PTE_IS_MIGRATION);
export const pmdMigration = (key: string): Column =>
  column(TABLE_WORD, key, 'hex', undefined, PMD_IS_MIGRATION);
/** Page flags printed by name. */
export const flagNames = (key: string): Column => column(FLAG_NAMES, key, 'pageflags');
/** page->flags as a number. */
export const pageFlags = (key: string, through?: string): Column => column(PAGE_FLAGS, key, 'hex', through);
/** FOLL_* as a number. */
export const gupFlags = (key: string): Column => column(GUP_FLAGS, key, 'hex');
/** FAULT_FLAG_* as a number. */
export const faultFlags = (key: string): Column => column(FAULT_FLAGS, key, 'hex');
/** 1 if the number or pointer is not zero. */
export const truth = (key: string): Column => column(TRUTH, key, 'int');
/** 1 if the number equals `value`. */
export const equals = (key: string, value: number): Column => column(EQUALS, key, 'int', undefined, value);
/** 1 if any bit of `mask` is set. */
export const masked = (key: string, mask: number): Column => column(MASKED, key, 'hex', undefined, mask);
/** Always this number. */
export const constant = (value: number): Column => column(CONSTANT, null, 'int', undefined, value);
/** A number kept by the entry of this return. */
export const opened = (cell: number): Column => column(OPENED, null, 'int', undefined, cell);
/** A page-table word kept by the entry of this return, in two cells. */
export const openedPte = (cell: number): Column => column(OPENED_TABLE_WORD, null, 'int', undefined, cell);
/** MAPPING_* from the low bits of a `mapping=` pointer. */
export const mapping = (key: string): Column => column(MAPPING, key, 'anonbits');
/** End of a range given as start and length. */
export const rangeEnd = (start: string, length: string): Column =>
  column(RANGE_END, start, 'hex', undefined, 0, length);
/** The number with its sign turned. */
export const negated = (key: string): Column => column(NEGATED, key, 'int');
/** `mapcount=` of page_ref records as the raw _mapcount (-1: unmapped), whatever the kernel's generation printed. */
export const mapcount = (key: string): Column => column(MAPCOUNT, key, 'int');

/** How many numbers of an event a column fills. */
export function columnWidth(of: Column): number {
  return of.op === TABLE_WORD || of.op === OPENED_TABLE_WORD ? 2 : 1;
}

/** A column bound to positions in a record's field values. */
export interface BoundColumn {
  readonly op: number;
  readonly at: number;
  readonly second: number;
  readonly through: number;
  readonly value: number;
}

/** The fields that these columns need, each once, and how to bind a column to them. */
export function compileColumns(columns: readonly Column[]): {
  readonly fields: readonly FieldSpec[];
  compile(of: Column): BoundColumn;
} {
  const fields: FieldSpec[] = [];
  const want = (key: string | null, form: FieldForm): number => {
    if (key === null) return -1;
    const known = fields.findIndex((field) => field.key === key && field.form === form);
    return known >= 0 ? known : fields.push({ key, form }) - 1;
  };
  const compile = (of: Column): BoundColumn => ({
    op: of.through === null ? (DIRECT.get(of.op) ?? of.op) : of.op,
    at: want(of.key, of.form),
    second: want(of.second, of.op === RANGE_END ? 'hex' : 'int'),
    through: want(of.through, 'ptr'),
    value: of.value,
  });
  for (const each of columns) compile(each);
  return { fields, compile };
}

/** MAPPING_* (events/flags.ts) by the low bits of page->mapping; 2 is a movable page, whose owner is not told. */
const MAPPINGS: readonly number[] = [1, 2, Number.NaN, 3, 0];

/** Evaluates columns into their cells: the numbers of an event, of which those that no column fills stay as they are. */
export function storeColumns(
  columns: readonly BoundColumn[],
  offsets: readonly number[],
  values: FieldValues,
  ctx: DecodeContext,
  into: Float64Array,
): void {
  const { state, lo, hi } = values;
  for (let i = 0; i < columns.length; i++) {
    const each = columns[i]!;
    const at = offsets[i]!;
    const field = each.at;
    switch (each.op) {
      case PLAIN:
        into[at] = state[field] === FIELD_OK ? hi[field]! * 4294967296 + (lo[field]! >>> 0) : Number.NaN;
        break;
      case NON_NULL:
        into[at] =
          state[field] === FIELD_OK && (hi[field] !== 0 || lo[field] !== 0)
            ? hi[field]! * 4294967296 + (lo[field]! >>> 0)
            : Number.NaN;
        break;
      case TABLE_WORD:
        if (state[field] === FIELD_OK) decodePte(lo[field]!, hi[field]!, each.value, ctx.kernel.pte);
        else decodedPte.bits = decodedPte.frame = Number.NaN;
        into[at] = decodedPte.bits;
        into[at + 1] = decodedPte.frame;
        break;
      case OPENED_TABLE_WORD:
        into[at] = ctx.open.popped[each.value]!;
        into[at + 1] = ctx.open.popped[each.value + 1]!;
        break;
      default:
        into[at] = evaluate(each, values, ctx);
    }
  }
}

/** Whether a condition holds; an unknown condition holds, so that an event is not lost for it. */
export function whenTrue(of: BoundColumn, values: FieldValues, ctx: DecodeContext): boolean {
  return evaluate(of, values, ctx) !== 0;
}

function isNull(values: FieldValues, field: number): boolean {
  const state = values.state[field];
  if (state === FIELD_ABSENT || state === FIELD_HASHED) return false;
  return state !== FIELD_OK || (values.lo[field] === 0 && values.hi[field] === 0);
}

function evaluate(of: BoundColumn, values: FieldValues, ctx: DecodeContext): number {
  if (of.op === CONSTANT) return of.value;
  if (of.op === OPENED) return ctx.open.popped[of.value]!;
  if (of.through >= 0 && isNull(values, of.through)) return Number.NaN;
  const field = of.at;
  const state = values.state[field]!;
  if (state !== FIELD_OK) return of.op === TRUTH && state === FIELD_HASHED ? 1 : Number.NaN;
  const lo = values.lo[field]!;
  const hi = values.hi[field]!;
  switch (of.op) {
    case INT:
    case PLAIN:
      return hi * 4294967296 + (lo >>> 0);
    case POINTER:
    case NON_NULL:
      return lo === 0 && hi === 0 ? Number.NaN : hi * 4294967296 + (lo >>> 0);
    case PAGE:
      return ctx.pages.pfn(lo, hi);
    case PFN:
      return hi < 0 ? Number.NaN : hi * 4294967296 + (lo >>> 0);
    case ENTRY:
      // Zero is no entry: slot 0 of the first device is its header.
      if ((lo === 0 && hi === 0) || hi & 0x3fff000) return Number.NaN;
      return entryOf(hi >>> 26, (hi & 0xfff) * 4294967296 + (lo >>> 0));
    case SLOT: {
      const second = of.second;
      if (values.state[second] !== FIELD_OK || hi !== 0) return Number.NaN;
      return entryOf(lo, values.hi[second]! * 4294967296 + (values.lo[second]! >>> 0));
    }
    case FLAG_NAMES:
      return lo;
    case PAGE_FLAGS:
      return ctx.kernel.pageFlags(lo);
    case GUP_FLAGS:
      return ctx.kernel.gupFlags(lo);
    case FAULT_FLAGS:
      return ctx.kernel.faultFlags(lo);
    case TRUTH:
      return lo !== 0 || hi !== 0 ? 1 : 0;
    case EQUALS:
      return hi * 4294967296 + (lo >>> 0) === of.value ? 1 : 0;
    case MASKED:
      return lo & of.value ? 1 : 0;
    case MAPPING:
      return MAPPINGS[lo] ?? Number.NaN;
    case RANGE_END: {
      const second = of.second;
      if (values.state[second] !== FIELD_OK) return Number.NaN;
      return hi * 4294967296 + (lo >>> 0) + values.hi[second]! * 4294967296 + (values.lo[second]! >>> 0);
    }
    case NEGATED:
      return -(hi * 4294967296 + (lo >>> 0));
    case MAPCOUNT:
      return ctx.kernel.rawMapcount(hi * 4294967296 + (lo >>> 0));
    default:
      throw new Error(`column without meaning: ${of.op}`);
  }
}
