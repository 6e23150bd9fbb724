import { refAdd, refFreeze, refRefused, refSet, refUnfreeze } from '../events/index.ts';
import {
  type Column,
  constant,
  equals,
  flagNames,
  int,
  mapcount,
  mapping,
  pageFlags,
  pfn,
  truth,
} from './columns.ts';
import { type Options, part, type Tracepoint, tell, tells } from './tracepoint.ts';

/**
 * The seven events of page_ref/*, given how their flags are printed. Every sample is read just after the
 * operation, racily.
 */
function pageRef(flags: Column, options: Options): readonly Tracepoint[] {
  const sample = { count: int('count'), mapcount: mapcount('mapcount'), flags, mapping: mapping('mapping') };
  const set = { pfn: pfn('pfn'), value: int('val'), ...sample };
  const delta = { pfn: pfn('pfn'), delta: int('val'), ...sample };
  return [
    tell('page_ref_set', refSet, set, options),
    tell('page_ref_unfreeze', refUnfreeze, set, options),
    tell('page_ref_mod', refAdd, delta, options),
    tell('page_ref_mod_and_test', refAdd, { ...delta, zero: truth('ret') }, options),
    tell('page_ref_mod_and_return', refAdd, { ...delta, result: int('ret') }, options),
    // ret 0: the count had the forbidden value, nothing was added.
    tells(
      'page_ref_mod_unless',
      [part(refAdd, delta, truth('ret')), part(refRefused, delta, equals('ret', 0))],
      options,
    ),
    tell(
      'page_ref_freeze',
      refFreeze,
      { pfn: pfn('pfn'), expect: int('val'), ok: truth('ret'), ...sample },
      options,
    ),
  ];
}

/**
 * page_ref/*: every change of a page's reference count. CONFIG_DEBUG_PAGE_REF. The kernel prints flags by name;
 * trace-cmd, perf and binary records have the number, which needs the kernel's table.
 */
export const pageRefTracepoints: readonly Tracepoint[] = [
  ...pageRef(flagNames('flags'), { readable: ['flags'] }),
  ...pageRef(pageFlags('flags'), { readable: ['flags'] }),
  ...pageRef(constant(Number.NaN), {}),
];
