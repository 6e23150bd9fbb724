/** Scenes that the tests of checks put together, in the notation of test/notation.ts. Task 10 runs on mm A. */

/** The trace has every kind of event that outcomes are concluded from: a fault of an early task on another page. */
export const PROBES_LIVE = `
  0 5 wp.begin mm=Z va=z flags=write|user pte=Z1:r
  0 5 wp.test pfn=Z1 count=2 mapcount=1 flags=lru|swapbacked|uptodate
  0 5 wp.tested ok=no
  0 5 wp.copy mm=Z va=z pfn=Z1 pte=Z1:r count=3 mapcount=1 flags=lru|swapbacked|uptodate
  0 5 pte.clear-flush mm=Z va=z ptep=TZ
  0 5 rmap.new pfn=Z2 mm=Z va=z exclusive=yes
  0 5 pte.set mm=Z ptep=TZ old=none value=Z2:w nr=1
  0 5 rmap.del pfn=Z1 folio=Z1 nr=1 mm=Z mapcount=1 count=3
  0 5 wp.copied ret=0
  0 5 wp.end ret=0
`;

/** Page P is allocated by task 10 and mapped writable at a. */
export const ALLOCATED = `
  0 10 ref.set pfn=P value=1 count=1 mapcount=-1 flags=none mapping=none
  0 10 page.alloc pfn=P order=0
  0 10 anon.begin mm=A va=a flags=write|user
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=P:w nr=1
  0 10 anon.end ret=0
`;

/** Task 10 pins P for writing. */
export const PINNED = `
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin|write
  0 10 gup.grab pfn=P refs=1 flags=pin|write count=1
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  0 10 gup.end how=pin ret=1
`;

/** A write fault on P at a copies it to Q; what was read of P is to be given. */
export function copyFault(read: {
  readonly flags: string;
  readonly count: number;
  readonly mapcount?: number;
  readonly after?: number;
  /** The sole-user test was asked, and denied. */
  readonly tested?: boolean;
}): string {
  const { flags, count, mapcount = 0, after = count - 1, tested = !flags.includes('ae') } = read;
  const test = `
  0 10 wp.test pfn=P count=${count} mapcount=${mapcount} flags=${flags}
  0 10 wp.tested ok=no`;
  return `
  0 10 fault.begin mm=A va=a flags=write|user
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r${tested ? test : ''}
  0 10 ref.add pfn=P delta=1 count=${count + 1} mapcount=${mapcount} flags=${flags} mapping=anon
  0 10 wp.copy mm=A va=a pfn=P pte=P:r count=${count + 1} mapcount=${mapcount} flags=${flags}
  0 10 pte.clear-flush mm=A va=a ptep=T
  0 10 rmap.new pfn=Q mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=Q:w nr=1
  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=${mapcount} count=${count + 1}
  0 10 ref.add pfn=P delta=-1 count=${after + 1} mapcount=${mapcount - 1} flags=${flags} mapping=anon
  0 10 ref.add pfn=P delta=-1 count=${after} mapcount=${mapcount - 1} flags=${flags} mapping=anon
  0 10 wp.copied ret=0
  0 10 wp.end ret=0
  0 10 fault.end ret=0
`;
}

/** A write fault on P at a reuses it. */
export function reuseFault(read: {
  readonly flags: string;
  readonly count: number;
  readonly mapcount?: number;
}): string {
  const { flags, count, mapcount = 0 } = read;
  const exclusive = flags.includes('ae');
  const test = `
  0 10 wp.test pfn=P count=${count} mapcount=${mapcount} flags=${flags}
  0 10 rmap.move pfn=P mm=A
  0 10 lock.release pfn=P count=${count} flags=${flags}|locked|ae
  0 10 wp.tested ok=yes`;
  return `
  0 10 fault.begin mm=A va=a flags=write|user
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r${exclusive ? '' : test}
  0 10 wp.reuse mm=A va=a pfn=P count=${count} mapcount=${mapcount} flags=${flags}${exclusive ? '' : '|ae'}
  0 10 wp.end ret=0
  0 10 fault.end ret=0
`;
}

/** A soft-dirty or mprotect pass made the PTE of P read-only. */
export const PROTECTED = `
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=P:r nr=1
`;

/** Task 20 reclaims, has isolated P and holds its lock: it announces the unlock and is not heard of until later. */
export const RECLAIMER_HOLDS_LOCK = `
  1 20 reclaim.begin how=pages
  1 20 ref.add pfn=P delta=1 count=1026 mapcount=0 flags=swapbacked|uptodate|ae mapping=anon
  1 20 lock.release pfn=P count=1026 flags=locked|swapbacked|uptodate|ae
`;

/** P becomes shared: task 11 on mm B, a child of A, maps it too; both PTEs are read-only. */
export const SHARED = `
  0 10 fork.begin child=B parent=A start=a end=a+8
  0 10 fork.ptes.begin child=B parent=A va=a max=1 dst=TB src=T
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  0 10 pte.set mm=B ptep=TB old=none value=P:r nr=1
  0 10 fork.ptes.end nr=1
  0 10 fork.end ret=0
  0 10 mm.dup mm=B
  0 10 task.fork parent=10 child=11
`;

/** Task 11 takes a reference on P through its mm, as vmsplice does. */
export const CHILD_READS = `
  1 11 gup.begin how=locked mm=B start=a nr=1 flags=get
  1 11 gup.grab pfn=P refs=1 flags=get count=2
  1 11 ref.add pfn=P delta=1 count=3 mapcount=1 flags=lru|swapbacked|uptodate mapping=anon
  1 11 gup.end how=locked ret=1
`;

/** Task 11 unmaps P. `count` is what is left. */
export function childUnmaps(count: number): string {
  return `
  1 11 zap.ptes.begin mm=B va=a ptep=TB value=P:r max=1
  1 11 pte.clear mm=B value=P:r
  1 11 rmap.del pfn=P folio=P nr=1 mm=B mapcount=1 count=${count + 1}
  1 11 zap.ptes.end nr=1
  1 11 ref.add pfn=P delta=-1 count=${count} mapcount=0 flags=lru|swapbacked|uptodate mapping=anon
`;
}
