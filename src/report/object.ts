import type { Divergence } from '../checks/finding.ts';
import { escapeText } from './escape.ts';
import { count, hexOrNull, plural, slot } from './format.ts';

/**
 * Object, references and shares of a divergence as lines, from its values. Names read here: generation, anon, ksm,
 * swapcache, exclusive, locked, pageflags (text); refcount, mapcount, swapcount, pins, gets, batch, isolated,
 * unattributed; what is null or absent is left out.
 */
type Values = Divergence['values'];

function given(values: Values, name: string): number | string | boolean | null {
  return values[name] ?? null;
}

function number(values: Values, name: string): number | null {
  const value = given(values, name);
  return typeof value === 'number' && !Number.isNaN(value) ? value : null;
}

function yesNo(value: number | string | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? count(value) : escapeText(value);
}

/** What the page is: pfn, generation, kind and flags, swap slot. */
export function objectText(found: Divergence): string | null {
  const { values, place } = found;
  if (place.pfn === null) return place.entry === null ? null : `slot ${slot(place.entry)}`;
  const generation = number(values, 'generation');
  const words = [`page ${hexOrNull(place.pfn)}${generation === null ? '' : ` (gen ${generation})`}`];
  const flags = given(values, 'pageflags');
  for (const name of ['anon', 'ksm', 'swapcache', 'exclusive', 'locked']) {
    // The kernel's own flags, where they were printed, say the lock themselves.
    if (name === 'locked' && typeof flags === 'string') continue;
    if (values[name] === true) words.push(name === 'exclusive' ? 'AnonExclusive' : name);
    if (values[name] === false && name === 'exclusive') words.push('not AnonExclusive');
  }
  if (typeof flags === 'string') words.push(`flags ${escapeText(flags).replaceAll('|', ',')}`);
  return words.join(' ') + (place.entry === null ? '' : ` | slot ${slot(place.entry)}`);
}

/** The reference count and what it is made of. */
export function refsText({ values }: Divergence): string | null {
  const refcount = number(values, 'refcount');
  if (refcount === null) return null;
  const parts: string[] = [];
  const add = (name: string, one: string, many?: string): void => {
    const held = number(values, name);
    if (held !== null && held !== 0) parts.push(plural(held, one, many));
  };
  add('mapcount', 'PTE');
  if (given(values, 'swapcache') === true) parts.push('1 swapcache');
  add('pins', 'GUP pin (1024 each)', 'GUP pins (1024 each)');
  add('gets', 'FOLL_GET reference');
  add('batch', 'LRU batch', 'LRU batches');
  add('isolated', 'LRU isolation');
  add('unattributed', 'unattributed', 'unattributed');
  return String(refcount) + (parts.length > 0 ? ` = ${parts.join(' + ')}` : '');
}

/** Who shares the page: the sum that decides whether it may be reused. */
export function sharesText({ values }: Divergence): string | null {
  const mapcount = number(values, 'mapcount');
  const swapcount = number(values, 'swapcount');
  if (mapcount === null) return null;
  if (swapcount === null && given(values, 'swapcache') !== false)
    return `mapcount ${count(mapcount)}, swapcount not known`;
  const sum = mapcount + (swapcount ?? 0);
  return `mapcount ${count(mapcount)} + swapcount ${count(swapcount ?? 0)} = ${count(sum)}  -> ${sum === 1 ? 'exclusive' : 'shared'}`;
}

/** Names that the lines above and the sentences say already. */
const SAID = new Set(
  (
    'best bestAgreed judged differing generation anon ksm swapcache exclusive locked pageflags refcount mapcount swapcount pins gets batch isolated ' +
    'unattributed pinned pinner holder sharers reader variant observed expected reason inputs use freer ' +
    'extra late own designed device anonymous child dirty total faults entries merged unpins write ' +
    'type held torn offTask got ptes lookedUp under'
  ).split(' '),
);

/** Values that no other line says, as "name value". */
export function otherValues({ values }: Divergence): string | null {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === null || SAID.has(name)) continue;
    parts.push(`${name} ${yesNo(value)}`);
  }
  return parts.length > 0 ? parts.join(', ') : null;
}
