import { AXES, AXIS_IDS, type Axes, type AxisId, axisValue } from './axes.ts';
import { withAxes } from './make-variant.ts';
import { VARIANTS, variantById } from './presets.ts';
import type { Variant } from './variant.ts';

/** A variant that cannot be what was meant: the word that is not known, and those that are. */
export class VariantError extends Error {
  override readonly name = 'VariantError';
  /** What the word should have been: "variant", "axis", "value of cow". */
  readonly what: string;
  readonly word: string;
  readonly known: readonly string[];

  constructor(what: string, word: string, known: readonly string[], message?: string) {
    super(message ?? `unknown ${what} '${word}'`);
    this.what = what;
    this.word = word;
    this.known = known;
  }
}

function presetOf(name: string): Variant {
  const preset = variantById(name);
  if (preset === undefined)
    throw new VariantError(
      'variant',
      name,
      VARIANTS.map(({ id }) => id),
    );
  return preset;
}

function axisOf(name: string): AxisId {
  const axis = AXIS_IDS.find((id) => id === name);
  if (axis === undefined) throw new VariantError('axis', name, AXIS_IDS);
  return axis;
}

/** The variant with one axis set to the value of this name. */
export function setAxis<Id extends AxisId>(variant: Variant, axis: Id, name: string): Variant {
  const value = axisValue(axis, name);
  if (value === undefined)
    throw new VariantError(
      `value of ${axis}`,
      name,
      AXES[axis].values.map(({ id }) => id),
    );
  const from: Axes = { ...variant.axes, [axis]: value };
  return withAxes(variant, presetOf(variant.preset), from, [axis]);
}

function setFrom(variant: Variant, setting: string): Variant {
  const at = setting.indexOf('=');
  if (at < 0) throw new VariantError('setting', setting, [], `'${setting}' is no setting: write axis=value`);
  return setAxis(variant, axisOf(setting.slice(0, at).trim()), setting.slice(at + 1).trim());
}

/** PRESET, or PRESET+axis=value,... Values may hold plus signs: the first one ends the preset's name. */
export function parseVariant(text: string): Variant {
  const at = text.indexOf('+');
  const preset = presetOf((at < 0 ? text : text.slice(0, at)).trim());
  if (at < 0) return preset;
  return text
    .slice(at + 1)
    .split(',')
    .reduce(setFrom, preset);
}

/**
 * The variants of a list. A comma parts variants, and settings of one variant: what reads axis=value and names no
 * preset of its own belongs to the variant before it.
 */
export function splitVariants(text: string): string[] {
  const found: string[] = [];
  for (const part of text.split(',')) {
    const word = part.trim();
    if (word === '') continue;
    const setting = /^[a-z-]+=/.test(word) && found.length > 0 && found.at(-1)!.includes('+');
    if (setting) found.push(`${found.pop()!},${word}`);
    else found.push(word);
  }
  return found;
}

/** A name of one's own: short, printable, and no preset's. */
function checkedName(name: string, where: string): string {
  if (!/^[A-Za-z0-9][\w.+-]{0,39}$/.test(name))
    throw new VariantError('name', name, [], `${where}: a name is of letters, digits and . _ + -`);
  if (variantById(name) !== undefined)
    throw new VariantError(
      'name',
      name,
      [],
      `${where}: '${name}' is a preset; give the variant another name`,
    );
  return name;
}

/**
 * A file that sets axes: lines `key = value`, # begins a comment. `from` names the preset that it departs from, and
 * comes first; `name` gives the variant a name of its own; every other key is an axis.
 */
export function parseVariantFile(text: string, label: string): Variant {
  let variant: Variant | null = null;
  let name: string | null = null;
  for (const [i, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/, '').trim();
    if (content === '') continue;
    const at = content.indexOf('=');
    const where = `${label}, line ${i + 1}`;
    if (at < 0)
      throw new VariantError(
        'setting',
        content,
        [],
        `${where}: '${content}' is no setting: write axis = value`,
      );
    const key = content.slice(0, at).trim();
    const value = content.slice(at + 1).trim();
    if (key === 'name') name = checkedName(value, where);
    else if (key === 'from') variant = presetOf(value);
    else if (variant === null)
      throw new VariantError('setting', key, [], `${where}: \`from = PRESET\` must come before \`${key}\``);
    else variant = setAxis(variant, axisOf(key), value);
  }
  if (variant === null)
    throw new VariantError('setting', 'from', [], `${label}: \`from = PRESET\` is missing`);
  return name === null ? variant : { ...variant, id: name };
}
