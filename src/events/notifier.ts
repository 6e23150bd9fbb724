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
/**
 * No tracepoint tells the mappings of a secondary MMU with the address they stand for: these kinds are for synthetic
 * traces and for drivers that tell them.
 */
export const spteSet = kind(
  'spte.set',
  'a device (dev, a number of its own) maps an address of an mm to a page in its secondary MMU',
  { dev: 'code', mm: 'mm', va: 'va', pfn: 'pfn', write: 'bool' },
);
export const spteClear = kind('spte.clear', 'a device drops its mapping of an address', {
  dev: 'code',
  mm: 'mm',
  va: 'va',
});
