import { fieldText } from '../core/fields.ts';
import { parseHex } from '../core/pointer.ts';
import { kvmUnmap } from '../events/index.ts';
import { va } from './columns.ts';
import { silent, type Tracepoint, tell, tracepoint } from './tracepoint.ts';

/** `mmu notifier unmap range: 0x7f4ca93ec000 -- 0x7f4ca93ed000` (include/trace/events/kvm.h). */
const RANGE = /: *([0-9a-fx]+) -- ([0-9a-fx]+)/;

/** kvm/*: KVM as a secondary MMU. There is no end marker. */
export const kvmTracepoints: readonly Tracepoint[] = [
  tell('kvm_unmap_hva_range', kvmUnmap, { start: va('start'), end: va('end') }, { requires: ['start'] }),
  tracepoint('kvm_unmap_hva_range', [kvmUnmap], [{ key: '@text', form: 'bytes' }], (values, out) => {
    const match = RANGE.exec(fieldText(values, 0));
    out.emit(kvmUnmap, parseHex(match?.[1] ?? ''), parseHex(match?.[2] ?? ''));
  }),
  ...['kvm_age_hva', 'kvm_test_age_hva', 'kvm_set_spte_hva', 'kvm_page_fault', 'kvm_mmu_set_spte'].map(
    (event) => silent(event),
  ),
];
