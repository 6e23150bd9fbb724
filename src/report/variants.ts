import { AXES, AXIS_IDS, type AxisId } from '../variants/axes.ts';
import { MUTANT_PRESETS, PRESETS, variantById } from '../variants/presets.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';
import type { Json } from './json.ts';
import { labelled, paragraph, table } from './layout.ts';
import type { Style } from './style.ts';

/** The axes in which a preset differs from the one before it; all of them for the first. */
function changes(variant: Variant, before: Variant | undefined): AxisId[] {
  return AXIS_IDS.filter((axis) => before === undefined || variant.axes[axis] !== before.axes[axis]);
}

function settings(variant: Variant, axes: readonly AxisId[]): string {
  return axes.map((axis) => `${axis}=${variant.axes[axis].id}`).join(', ');
}

/** Every preset in the axes that it changed, every axis with its values. */
export function variantsText(style: Style): string {
  const presets = PRESETS.map((variant, i) => [
    variant.id,
    `${settings(variant, changes(variant, PRESETS[i - 1])) || 'as the one before'}${variant.released ? '' : ' (not released)'}`,
  ]);
  const mutants = MUTANT_PRESETS.map((variant) => [
    variant.id,
    settings(
      variant,
      AXIS_IDS.filter((axis) => !PRESETS.some((preset) => preset.axes[axis] === variant.axes[axis])),
    ) || 'axes of two kernels that no kernel had together',
  ]);
  const axes = AXIS_IDS.map((axis) => [
    axis,
    `${AXES[axis].says}: ${AXES[axis].values.map(({ id }) => id).join(', ')}`,
  ]);
  return [
    `${style.bold('presets')}, each with what it does differently from the one before`,
    table([{}, { width: 62 }], presets, 2),
    '',
    `${style.bold('mutants')}, each without one line of a kernel`,
    table([{}, { width: 50 }], mutants, 2),
    '',
    `${style.bold('axes')}`,
    table([{}, { width: 60 }], axes, 2),
    '',
    'As a decision table: faultline variants PRESET, PRESET+axis=value,... or AXIS=VALUE',
    '',
  ].join('\n');
}

/** The steps of one axis value, first to last. */
export function ruleText(axis: AxisId, value: AxisValue, style: Style): string {
  const rows = value.table.map(({ when, does }, i) => [`${i + 1}`, when, does]);
  return [
    `${style.bold(`${axis}=${value.id}`)}  ${AXES[axis].says}`,
    labelled('era', value.era, 2, 9),
    labelled('source', value.source, 2, 9),
    table([{ align: 'right' }, { width: 34 }, { width: 34 }], rows, 2),
  ].join('\n');
}

/** A variant as decision tables: the axes that decide first, then the others in a line each. */
export function variantText(variant: Variant, style: Style): string {
  const long: readonly AxisId[] = ['cow', 'swapin-reuse', 'ksm', 'collapse', 'swapoff', 'fork'];
  const root = variantById(variant.preset);
  const own =
    root === undefined || root === variant
      ? []
      : AXIS_IDS.filter((axis) => variant.axes[axis] !== root.axes[axis]);
  const head = [
    style.bold(variant.id),
    paragraph(
      variant.released
        ? 'The rules of a released kernel; the version is a default only: stable trees backport.'
        : own.length > 0
          ? `${variant.preset} with ${settings(variant, own)}.`
          : 'No released kernel.',
    ),
  ].join('\n');
  const rest = AXIS_IDS.filter((axis) => !long.includes(axis)).map((axis) => {
    const value = variant.axes[axis];
    return [`${axis}=${value.id}`, value.table.map(({ when, does }) => `${when}: ${does}`).join('; ')];
  });
  return `${[
    head,
    ...long.map((axis) => ruleText(axis, variant.axes[axis], style)),
    table([{}, { width: 44 }], rest),
  ].join('\n\n')}\n`;
}

function valueJson(value: AxisValue): Json {
  return {
    id: value.id,
    era: value.era,
    source: value.source,
    table: value.table.map(({ when, does }) => ({ when, does })),
  };
}

/** A variant by its axis values. */
export function variantJson(variant: Variant): Json {
  return {
    id: variant.id,
    preset: variant.preset,
    released: variant.released,
    axes: Object.fromEntries(AXIS_IDS.map((axis) => [axis, variant.axes[axis].id])),
  };
}

/** The catalogue, or one variant with the tables of its axes. */
export function variantsJson(variants: readonly Variant[], one: boolean): Json {
  return {
    schema: 'faultline.variants/1',
    variants: variants.map(variantJson),
    axes: AXIS_IDS.map((axis) => ({
      id: axis,
      says: AXES[axis].says,
      values: one
        ? variants.map((variant) => valueJson(variant.axes[axis]))
        : AXES[axis].values.map((value) => valueJson(value)),
    })),
  };
}
