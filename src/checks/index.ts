import { anonExclusiveViolation } from './anon-exclusive-violation.ts';
import { anonPageDiscardedUnsaved } from './anon-page-discarded-unsaved.ts';
import type { Check } from './check.ts';
import { collapseExtraRefs } from './collapse-extra-refs.ts';
import { collapseLatePin } from './collapse-late-pin.ts';
import { collapseLostWrite } from './collapse-lost-write.ts';
import { collapseNotifierGap } from './collapse-notifier-gap.ts';
import { cowLeakThroughGupRef } from './cow-leak-through-gup-ref.ts';
import { doubleFreePage } from './double-free-page.ts';
import { faultWithoutProgress } from './fault-without-progress.ts';
import { follForceWithoutCow } from './foll-force-without-cow.ts';
import { forkLeftPteWritable } from './fork-left-pte-writable.ts';
import { forkSwapExclusive } from './fork-swap-exclusive.ts';
import { freeWhileLocked, freeWhileOnLru, freeWhileWriteback } from './free-while-flagged.ts';
import { freeWhileMapped } from './free-while-mapped.ts';
import { freeWhilePinned } from './free-while-pinned.ts';
import { gupFastForkRace } from './gup-fast-fork-race.ts';
import { gupPinBrokenByCollapse } from './gup-pin-broken-by-collapse.ts';
import { gupPinBrokenByCow } from './gup-pin-broken-by-cow.ts';
import { gupPinBrokenByFork } from './gup-pin-broken-by-fork.ts';
import { gupUnpinUnbalanced } from './gup-unpin-unbalanced.ts';
import { ksmInPlaceReuse } from './ksm-in-place-reuse.ts';
import { ksmStaleStableNode } from './ksm-stale-stable-node.ts';
import { ksmUnlockedRefRace } from './ksm-unlocked-ref-race.ts';
import { locklessSwapcacheChange } from './lockless-swapcache-change.ts';
import { longtermPinMovable } from './longterm-pin-movable.ts';
import { madvfreeDiscardsDmaWrite } from './madvfree-discards-dma-write.ts';
import { mapcountNegative } from './mapcount-negative.ts';
import { migratePinnedPage } from './migrate-pinned-page.ts';
import { migrationEntryLeaked } from './migration-entry-leaked.ts';
import { migrationLostWrite } from './migration-lost-write.ts';
import { missedCow } from './missed-cow.ts';
import { mmuNotifierAsyncInvalidate } from './mmu-notifier-async-invalidate.ts';
import { mmuNotifierMissing } from './mmu-notifier-missing.ts';
import { mmuNotifierUnbalanced } from './mmu-notifier-unbalanced.ts';
import { pageLockHeldAtEnd } from './page-lock-held-at-end.ts';
import { pageLockOrderInversion } from './page-lock-order-inversion.ts';
import { pageLockRecursion } from './page-lock-recursion.ts';
import { pageUnlockByNonOwner } from './page-unlock-by-non-owner.ts';
import { pageUnlockNotLocked } from './page-unlock-not-locked.ts';
import { policyMismatch } from './policy-mismatch.ts';
import { refLeak } from './ref-leak.ts';
import { refcountMapcountInconsistent } from './refcount-mapcount-inconsistent.ts';
import { refcountUnderflow } from './refcount-underflow.ts';
import { removeMappingDirtyOrder } from './remove-mapping-dirty-order.ts';
import { secondaryMmuFaultInInvalidate } from './secondary-mmu-fault-in-invalidate.ts';
import { secondaryMmuLostWrite } from './secondary-mmu-lost-write.ts';
import { secondaryMmuStaleMapping } from './secondary-mmu-stale-mapping.ts';
import { staleSwapPrivate } from './stale-swap-private.ts';
import { swapCountOverflow } from './swap-count-overflow.ts';
import { swapCountUnderflow } from './swap-count-underflow.ts';
import { swapEntryLeak } from './swap-entry-leak.ts';
import { swapSlotFreedInUse } from './swap-slot-freed-in-use.ts';
import { swapSlotFreedWithoutDirty } from './swap-slot-freed-without-dirty.ts';
import { swapcacheDeleteWrongEntry } from './swapcache-delete-wrong-entry.ts';
import { swapcountSeenTooLow } from './swapcount-seen-too-low.ts';
import { swapinStaleInstall } from './swapin-stale-install.ts';
import { swapinWrongCachePage } from './swapin-wrong-cache-page.ts';
import { swapoffUafSi } from './swapoff-uaf-si.ts';
import { swapoffUnprotectedSiUse } from './swapoff-unprotected-si-use.ts';
import { thpMapcountRace } from './thp-mapcount-race.ts';
import { tlbBatchedReclaimRace } from './tlb-batched-reclaim-race.ts';
import { tlbCowOrder } from './tlb-cow-order.ts';
import { tlbFlushMissingBeforeFree } from './tlb-flush-missing-before-free.ts';
import { tlbMigrateVma } from './tlb-migrate-vma.ts';
import { tlbMremapMove } from './tlb-mremap-move.ts';
import { tlbWriteAfterProtect } from './tlb-write-after-protect.ts';
import { twoWritablePtes } from './two-writable-ptes.ts';
import { uffdMoveSwapRace } from './uffd-move-swap-race.ts';
import { uffdWpBypass } from './uffd-wp-bypass.ts';
import { unexpectedCow } from './unexpected-cow.ts';
import { unexpectedCowUnderReclaim } from './unexpected-cow-under-reclaim.ts';
import { useAfterFreePage } from './use-after-free-page.ts';
import { vmaUseAfterFree } from './vma-use-after-free.ts';
import { writablePteSharedAnon } from './writable-pte-shared-anon.ts';
import { writebackOverwrite } from './writeback-overwrite.ts';
import { zeroPageViolation } from './zero-page-violation.ts';

/** Every check. Adding one: its file, one line here. */
export const CHECKS: readonly Check[] = [
  unexpectedCow,
  unexpectedCowUnderReclaim,
  gupPinBrokenByCow,
  missedCow,
  cowLeakThroughGupRef,
  policyMismatch,
  refcountUnderflow,
  useAfterFreePage,
  doubleFreePage,
  mapcountNegative,
  gupPinBrokenByFork,
  gupFastForkRace,
  follForceWithoutCow,
  ksmInPlaceReuse,
  ksmUnlockedRefRace,
  ksmStaleStableNode,
  zeroPageViolation,
  collapseExtraRefs,
  gupPinBrokenByCollapse,
  collapseLatePin,
  collapseLostWrite,
  collapseNotifierGap,
  thpMapcountRace,
  migratePinnedPage,
  migrationEntryLeaked,
  migrationLostWrite,
  forkSwapExclusive,
  madvfreeDiscardsDmaWrite,
  removeMappingDirtyOrder,
  uffdWpBypass,
  gupUnpinUnbalanced,
  longtermPinMovable,
  uffdMoveSwapRace,
  faultWithoutProgress,
  vmaUseAfterFree,
  writablePteSharedAnon,
  twoWritablePtes,
  forkLeftPteWritable,
  anonExclusiveViolation,
  secondaryMmuStaleMapping,
  secondaryMmuLostWrite,
  secondaryMmuFaultInInvalidate,
  mmuNotifierAsyncInvalidate,
  mmuNotifierMissing,
  mmuNotifierUnbalanced,
  freeWhileMapped,
  freeWhilePinned,
  freeWhileLocked,
  freeWhileWriteback,
  freeWhileOnLru,
  refcountMapcountInconsistent,
  refLeak,
  pageUnlockNotLocked,
  pageUnlockByNonOwner,
  pageLockHeldAtEnd,
  pageLockRecursion,
  pageLockOrderInversion,
  locklessSwapcacheChange,
  tlbFlushMissingBeforeFree,
  tlbCowOrder,
  tlbMremapMove,
  tlbBatchedReclaimRace,
  tlbMigrateVma,
  tlbWriteAfterProtect,
  swapoffUafSi,
  swapoffUnprotectedSiUse,
  swapCountUnderflow,
  swapCountOverflow,
  swapEntryLeak,
  swapSlotFreedInUse,
  swapcacheDeleteWrongEntry,
  swapcountSeenTooLow,
  staleSwapPrivate,
  anonPageDiscardedUnsaved,
  swapSlotFreedWithoutDirty,
  swapinStaleInstall,
  swapinWrongCachePage,
  writebackOverwrite,
];
