/**
 * GUP, fault and clone flags in canonical bits. Their numbers move between kernels; tracepoints/kernels.ts
 * translates, by a table that names its source.
 */
export const FOLL_WRITE = 1;
/** A reference is taken with +1 (get_page). */
export const FOLL_GET = 2;
/** A reference is taken with GUP_PIN_COUNTING_BIAS (pin_user_pages). */
export const FOLL_PIN = 4;
export const FOLL_FORCE = 8;
export const FOLL_LONGTERM = 16;
/** The mm is not current's. */
export const FOLL_REMOTE = 32;

export const FAULT_WRITE = 1;
export const FAULT_USER = 2;
export const FAULT_REMOTE = 4;
/** FAULT_FLAG_UNSHARE: break sharing for a read-only pin; a copy stays read-only (5.19+). */
export const FAULT_UNSHARE = 8;
export const FAULT_INSTRUCTION = 16;

/** What one FOLL_PIN adds to the refcount of a small folio (GUP_PIN_COUNTING_BIAS, include/linux/mm.h, 5.7 on). */
export const PIN_BIAS = 1024;

/** mapping codes of ref.* events: what folio->mapping says the page is. */
export const MAPPING_NONE = 0;
export const MAPPING_FILE = 1;
export const MAPPING_ANON = 2;
export const MAPPING_KSM = 3;
