/** Values of the `cow` axis. Adding one: its file, one line here. */
export { exclusive } from './exclusive.ts';
export { refcount } from './refcount.ts';
