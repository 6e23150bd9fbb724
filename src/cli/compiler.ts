import { setFlagsFromString } from 'node:v8';

/**
 * Tells V8 to copy less of the called functions into those that call them (a third of what it would). Most traces are
 * read in seconds, of which the compiler takes a third; long ones are not read slower (both measured on
 * base-cow-big). Call before anything is compiled.
 */
export function inlineLess(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=250');
}
