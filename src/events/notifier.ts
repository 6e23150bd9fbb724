import { kind } from './declare.ts';

/** `event` codes: enum mmu_notifier_event (include/linux/mmu_notifier.h, 5.2 on). */
export const mnStart = kind('mn.start', 'an invalidation of secondary MMUs starts', {
  mm: 'mm',
  start: 'va',
  end: 'va',
  event: 'code',
});
export const mnStarted = kind('mn.started', 'invalidate_range_start returned', { ret: 'long' });
export const mnEnd = kind('mn.end', 'the invalidation ends', {
  mm: 'mm',
  start: 'va',
  end: 'va',
  event: 'code',
});
export const mnInvalidate = kind('mn.invalidate', 'secondary TLBs are invalidated at once', {
  mm: 'mm',
  start: 'va',
  end: 'va',
});
export const mnYoung = kind('mn.young', 'secondary MMUs are asked for young bits', {
  mm: 'mm',
  start: 'va',
  end: 'va',
});
export const mnRelease = kind('mn.release', "the mm's notifiers are released", { mm: 'mm' });
export const mnChangePte = kind('mn.change-pte', 'secondary MMUs are told of a new PTE (up to 6.9)', {
  mm: 'mm',
  va: 'va',
});
export const kvmUnmap = kind('kvm.unmap', 'KVM unmapped a range of host addresses', {
  start: 'va',
  end: 'va',
});
