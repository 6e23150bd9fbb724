import { ruleText, variantsJson, variantsText, variantText } from '../report/variants.ts';
import { AXES, AXIS_IDS, type AxisId, axisValue } from '../variants/axes.ts';
import { VARIANTS } from '../variants/presets.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';
import type { CommandSpec } from './command.ts';
import { UsageError } from './exit.ts';
import { declareOutputOptions, known } from './options.ts';
import { variantOption } from './variant-option.ts';

/** What was asked: the catalogue, one variant, or one value of an axis. */
type Asked =
  | { readonly what: 'all' }
  | { readonly what: 'variant'; readonly variant: Variant }
  | { readonly what: 'value'; readonly axis: AxisId; readonly value: AxisValue };

/** AXIS=VALUE. */
function axisSetting(text: string): Asked {
  const at = text.indexOf('=');
  const name = known(text.slice(0, at), AXIS_IDS, 'axis', '`faultline variants`');
  const axis = AXIS_IDS.find((id) => id === name)!;
  const ids = AXES[axis].values.map(({ id }) => id);
  const value = axisValue(axis, known(text.slice(at + 1), ids, `value of ${axis}`, '`faultline variants`'));
  return { what: 'value', axis, value: value! };
}

/** `faultline variants`: the catalogue, or one variant as decision tables. */
export const variantsCommand: CommandSpec<Asked> = {
  declare(command) {
    command.argument('[variant]', 'a preset, PRESET+axis=value,..., a file that sets axes, or AXIS=VALUE');
    declareOutputOptions(command, 'one JSON object (schema faultline.variants/1)');
  },

  async *run(_context, [name]) {
    if (name === undefined) yield { what: 'all' };
    else if (/^[a-z-]+=/.test(name)) yield axisSetting(name);
    else {
      const variant = variantOption(name);
      if (variant === null)
        throw new UsageError(
          'auto is chosen by a trace',
          '`faultline info TRACE` tells which rules it follows',
        );
      yield { what: 'variant', variant };
    }
  },

  json(asked) {
    if (asked.what === 'variant') return variantsJson([asked.variant], true);
    if (asked.what === 'all') return variantsJson(VARIANTS, false);
    const having = VARIANTS.filter((variant) => variant.axes[asked.axis] === asked.value);
    return variantsJson(having, false);
  },
  text(asked, style) {
    if (asked.what === 'all') return variantsText(style);
    return asked.what === 'variant'
      ? variantText(asked.variant, style)
      : `${ruleText(asked.axis, asked.value, style)}\n`;
  },
};
