import { kvmUnmap } from '../events/index.ts';
import { va } from './columns.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

/** kvm/*: KVM as a secondary MMU. There is no end marker. */
export const kvmTracepoints: readonly Tracepoint[] = [
  tell('kvm_unmap_hva_range', kvmUnmap, { start: va('start'), end: va('end') }),
  ...['kvm_age_hva', 'kvm_test_age_hva', 'kvm_set_spte_hva', 'kvm_page_fault', 'kvm_mmu_set_spte'].map(
    (event) => silent(event),
  ),
];
