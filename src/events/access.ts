import { kind } from './declare.ts';

/** `agent` of access. */
export const ACCESS_CPU = 0;
export const ACCESS_DEVICE = 1;
/**
 * No tracer of a kernel tells single loads and stores: this kind is for synthetic traces and for those of emulators.
 * Checks that need it say so.
 */
export const access = kind(
  'access',
  'a CPU (agent 0) or a device (agent 1) read or wrote a page through an address of an mm; version: which content of the page it saw or left behind',
  { agent: 'code', mm: 'mm', va: 'va', pfn: 'pfn', write: 'bool', version: 'count' },
);
