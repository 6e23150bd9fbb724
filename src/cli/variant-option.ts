import { readFileSync } from 'node:fs';
import { nearest } from '../core/suggest.ts';
import { parseVariant, parseVariantFile, splitVariants, VariantError } from '../variants/parse.ts';
import type { Variant } from '../variants/variant.ts';
import { UsageError } from './exit.ts';

/** Help text of --variant. */
export const VARIANT_FORMS = 'a preset, PRESET+axis=value,..., a file that sets axes';

/** What is wrong with a variant, with what was probably meant. */
function usage(error: VariantError): UsageError {
  if (error.known.length === 0)
    return new UsageError(error.message, 'examples: 6.12, 6.12+cow=refcount, ./mine.variant');
  const near = nearest(error.word, error.known);
  return new UsageError(
    error.message,
    near === null
      ? `there are: ${error.known.join(', ')}`
      : `did you mean '${near}'? \`faultline variants\` lists what there is`,
  );
}

/** A variant as one writes it. What holds a slash or ends in .variant names a file. */
function one(text: string): Variant {
  try {
    if (!text.includes('/') && !text.endsWith('.variant')) return parseVariant(text);
    return parseVariantFile(fileText(text), text);
  } catch (error) {
    throw error instanceof VariantError ? usage(error) : error;
  }
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the variant file ${path}: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** The variant of an option; null is `auto`. */
export function variantOption(text: string | null): Variant | null {
  return text === null || text === 'auto' ? null : one(text);
}

/** The variants of an option that was cut at its commas, each once; null is `auto`. */
export function variantsOrAuto(pieces: readonly string[]): (Variant | null)[] {
  const found = new Map<string, Variant | null>();
  for (const name of splitVariants(pieces.join(','))) {
    const variant = variantOption(name);
    found.set(variant?.id ?? 'auto', variant);
  }
  return [...found.values()];
}

/** The same where there is no trace that `auto` could be chosen by. */
export function variantList(pieces: readonly string[]): Variant[] {
  return variantsOrAuto(pieces).map((variant) => {
    if (variant === null) throw new UsageError('auto is chosen by a trace, and there is none here');
    return variant;
  });
}
