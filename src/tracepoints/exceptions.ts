import { faultTrap } from '../events/index.ts';
import { masked, va } from './columns.ts';
import { type Tracepoint, tell } from './tracepoint.ts';

/** Bits of the x86 page fault error code (arch/x86/include/asm/trap_pf.h). */
const PROTECTION = 1;
const WRITE = 2;
const USER = 4;

/** exceptions/*: the CPU trapped. The address of a kernel symbol is printed by name and stays unknown. */
export const exceptionTracepoints: readonly Tracepoint[] = ['page_fault_user', 'page_fault_kernel'].map(
  (event) =>
    tell(event, faultTrap, {
      va: va('address'),
      present: masked('error_code', PROTECTION),
      write: masked('error_code', WRITE),
      user: masked('error_code', USER),
    }),
);
