import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createFieldValues, type FieldForm, type FieldSpec } from '../../src/core/fields.ts';
import { PAGE_FLAG_NAMES } from '../../src/core/pageflags.ts';
import { fieldsOf, fieldText, openBytes } from './read.ts';

function specs(...texts: readonly string[]): FieldSpec[] {
  return texts.map((text) => {
    const [key, form] = text.split('/');
    return { key: key!, form: form as FieldForm };
  });
}

const CASES: ReadonlyArray<readonly [event: string, payload: string, wanted: Record<string, string>]> = [
  [
    'e',
    'a=1 b=-12 c=0x1f d=8192B e=18446744073709551615',
    { 'a/int': '1', 'b/int': '-12', 'c/int': '31', 'd/int': '8192', 'e/int': '-1', 'f/int': 'absent' },
  ],
  [
    'e',
    'a=-4294967296 b=-4294967297 c=4294967295 d=9223372036854775807 e=-9223372036854775808',
    {
      'a/int': '-4294967296',
      'b/int': '-4294967297',
      'c/int': '4294967295',
      'd/int': '9223372036854775807',
      'e/int': '-9223372036854775808',
    },
  ],
  [
    'e',
    'a=18446744073709551616 b=0x10000000000000000 c=12x d= e=-',
    {
      'a/int': 'unreadable',
      'b/int': 'unreadable',
      'c/int': 'unreadable',
      'd/int': 'unreadable',
      'e/int': 'unreadable',
    },
  ],
  [
    'e',
    'a=0xffff888000c41ed8 b=123456789 c=0x123456789',
    { 'a/hex': '-131391626666280', 'b/hex': '4886718345', 'c/hex': '4886718345' },
  ],
  [
    'e',
    'a=ffffea0000232c00 b=000000004a02fd75 c=0000000000000000 d=0x0 e=0x4a02fd75',
    { 'a/ptr': '-24189253506048', 'b/ptr': 'hashed', 'c/ptr': '0', 'd/ptr': '0', 'e/ptr': '1241709941' },
  ],
  [
    'e',
    'a=(____ptrval____) b=(null) c=(nil) d=(fault) e=(efault) f=__put_user_4',
    {
      'a/ptr': 'unreadable',
      'b/ptr': '0',
      'c/ptr': '0',
      'd/ptr': 'unreadable',
      'e/ptr': 'unreadable',
      'f/ptr': 'unreadable',
    },
  ],
  [
    'e',
    'a=(fault) b=<OVERFLOW> c=(null) d=1',
    { 'a/int': 'unreadable', 'b/int': 'unreadable', 'c/int': 'unreadable', 'd/int': '1' },
  ],
  [
    'e',
    'a=ffff8880008be069 b=ffff8880008be06b c=ffff8880008be068 d=0000000000000000 e=00000000008be069',
    { 'a/anonbits': '1', 'b/anonbits': '3', 'c/anonbits': '0', 'd/anonbits': '4', 'e/anonbits': 'hashed' },
  ],
  [
    'e',
    'a=uptodate|lru b=none c=locked|0x4000 d=0x15 e=brandnew',
    {
      'a/pageflags': '40',
      'b/pageflags': '0',
      'c/pageflags': '33554433',
      'd/pageflags': 'unreadable',
      'e/pageflags': '33554432',
    },
  ],
  [
    'mm_lru_insertion',
    'folio=ffffea00002ab040 pfn=0xaac1 lru=0 flags=Ma bd ',
    { 'pfn/int': '43713', 'flags/bytes': '"Ma bd "' },
  ],
  [
    'tlb_flush',
    'pages:-1 reason:local mm shootdown (3)',
    { 'pages/int': '-1', 'reason/bytes': '"local mm shootdown (3)"' },
  ],
  [
    'ksm_merge_one_page',
    'ksm pfn 521948 rmap_item 00000000a2e94b69 mm 0000000000000000 error 0',
    { 'pfn/int': '521948', 'rmap_item/ptr': 'hashed', 'mm/ptr': '0', 'error/int': '0' },
  ],
  [
    'sched_process_exec',
    'filename=/tmp/a pid=1 old_pid=2 pid=77 old_pid=78',
    { 'filename/bytes': '"/tmp/a pid=1 old_pid=2"', 'pid/int': '77', 'old_pid/int': '78' },
  ],
  [
    'sched_process_fork',
    'comm=a pid=9 pid=1 child_comm=b child_pid=4 child_pid=115',
    {
      'comm/bytes': '"a pid=9"',
      'pid/int': '1',
      'child_comm/bytes': '"b child_pid=4"',
      'child_pid/int': '115',
    },
  ],
  [
    'sched_process_fork',
    'comm= pid=1 child_comm= child_pid=115',
    { 'comm/bytes': '""', 'pid/int': '1', 'child_pid/int': '115' },
  ],
  [
    'task_rename',
    'pid=5 oldcomm=a b newcomm=c oom_score_adj=0',
    { 'pid/int': '5', 'oldcomm/bytes': '"a b"', 'newcomm/bytes': '"c"', 'oom_score_adj/int': '0' },
  ],
  [
    'pte_set',
    '(__page_table_check_ptes_set+0x4/0x190) mm=0x1 nr=2',
    { '@func/bytes': '"__page_table_check_ptes_set"', 'mm/ptr': '1', 'nr/int': '2' },
  ],
  [
    'ret',
    '(caller+0x75/0x100 [kvm] <- kvm_func [kvm]) ret=0x0',
    { '@func/bytes': '"kvm_func"', 'ret/int': '0' },
  ],
  ['lru_drain', '(lru_add_drain+0x0/0x30)', { '@func/bytes': '"lru_add_drain"', 'folio/ptr': 'absent' }],
  ['print', 'any text', { '@text/bytes': '"any text"', '@func/bytes': 'absent' }],
  ['e', 'rmap_item=1 item=2 aitem=3', { 'item/int': '2' }],
  ['e', 'nid: 0 a=1', { 'a/int': '1', 'nid/int': 'absent' }],
];

describe('values by key and form', () => {
  test.each(CASES)('%s: %s', async (event, payload, wanted) => {
    expect(await fieldsOf(event, payload, specs(...Object.keys(wanted)))).toEqual(Object.values(wanted));
  });

  test('syscalls: arguments with and without 0x, quoted strings, the value returned', async () => {
    const one = '            t-1       [000] .....    1.000000: ';
    const texts = [
      'sys_clone(clone_flags: 1200011, newsp: 0, tls: 7f00)',
      'sys_clone(clone_flags: 0x1200011, newsp: 0, tls: 0x7f00)',
      'sys_clone(clone_flags: 0x1 "a, newsp: 5", newsp: 3)',
      'sys_clone -> 0xfffffffffffffff4',
    ];
    const trace = await openBytes(Buffer.from(texts.map((text) => `${one}${text}\n`).join('')));
    const wanted = specs('clone_flags/hex', 'newsp/hex', 'tls/hex', 'ret/hex');
    const read: string[][] = [];
    for await (const batch of trace.batches()) {
      for (let row = 1; row < batch.count; row++) {
        const values = createFieldValues(wanted.length);
        trace.extractor(batch.name[row]!, wanted)(batch, row, values);
        read.push(wanted.map((spec, i) => fieldText(spec, values, i)));
      }
    }
    expect(read).toEqual([
      ['18874385', '0', '32512', 'absent'],
      ['18874385', '0', '32512', 'absent'],
      ['1', '3', 'absent', 'absent'],
      ['absent', 'absent', 'absent', '-12'],
    ]);
  });
});

describe('the layout of an event is learned and never trusted', () => {
  const wanted = specs('a/int', 'b/int', 'c/int');
  const payloads: ReadonlyArray<readonly [text: string, values: readonly string[]]> = [
    ['a=1 b=2 c=3', ['1', '2', '3']],
    ['a=4 c=6', ['4', 'absent', '6']],
    ['a=1 b=2 c=3 d=4', ['1', '2', '3']],
    ['c=3 b=2 a=1', ['1', '2', '3']],
    ['a=1 x=9 b=2 c=3', ['1', '2', '3']],
    ['aa=1 b=2 c=3', ['absent', '2', '3']],
    ['a=1 b=2 cc=3', ['1', '2', 'absent']],
    ['', ['absent', 'absent', 'absent']],
    ['a=1 b=(fault) c=3', ['1', 'unreadable', '3']],
    ['a=1, b=2, c=3', ['1', '2', '3']],
    ['(f+0x0/0x1) a=1 b=2 c=3', ['1', '2', '3']],
    ['(longer+0x0/0x1 <- g) a=1 b=2 c=3', ['1', '2', '3']],
  ];

  test('any order of layouts gives the values of each text by itself', async () => {
    const lines: string[] = [];
    const expected: (readonly string[])[] = [];
    for (let i = 0; i < payloads.length * payloads.length * 2; i++) {
      const [text, values] = payloads[(i * 7 + (i >> 3) * 5) % payloads.length]!;
      lines.push(`            t-1       [000] .....    1.000000: e: ${text}\n`);
      expected.push(values);
    }
    const trace = await openBytes(Buffer.from(lines.join('')));
    const values = createFieldValues(wanted.length);
    const read: string[][] = [];
    for await (const batch of trace.batches()) {
      const extract = trace.extractor(0, wanted);
      for (let row = 1; row < batch.count; row++) {
        extract(batch, row, values);
        read.push(wanted.map((spec, i) => fieldText(spec, values, i)));
      }
    }
    expect(read).toEqual(expected);
  });
});

/** The reading of one value by the simplest means, to compare with. */
function naive(form: FieldForm, key: string, payload: string): string {
  const found = new RegExp(`(?:^|[ (])${key}=(${form === 'bytes' ? '.*?(?= \\w+=|$)' : '[^ ]*'})`).exec(
    payload,
  );
  if (!found) return 'absent';
  const text = found[1]!;
  if (form === 'bytes') return `"${text}"`;
  if (form === 'pageflags') {
    if (!/^[a-z]/.test(text)) return 'unreadable';
    const bits = new Map(PAGE_FLAG_NAMES);
    return String(text === 'none' ? 0 : text.split('|').reduce((sum, name) => sum | bits.get(name)!, 0));
  }
  const number =
    form === 'int' && !text.startsWith('0x')
      ? /^(-?\d+)B?,?$/.exec(text)?.[1]
      : /^(?:0x)?([0-9a-f]+)$/.exec(text)?.[1];
  if (number === undefined) return 'unreadable';
  const value = BigInt.asIntN(
    64,
    form === 'int' && !text.startsWith('0x') ? BigInt(number) : BigInt(`0x${number}`),
  );
  if (form === 'int' || form === 'hex' || text.startsWith('0x')) return String(value);
  if (value > 0n && value < 1n << 32n) return 'hashed';
  return form === 'ptr' ? String(value) : String(value === 0n ? 4n : value & 3n);
}

const FORMS: Readonly<Record<string, FieldForm>> = {
  flags: 'bytes',
  reason: 'bytes',
  type: 'bytes',
  comm: 'bytes',
  gfp_flags: 'bytes',
  mapping: 'anonbits',
  page: 'ptr',
  folio: 'ptr',
  mm: 'ptr',
  vma: 'ptr',
  ptep: 'ptr',
  pte: 'hex',
  addr: 'hex',
  old: 'hex',
  entry: 'hex',
};

describe('every k=v field of real captures agrees with a naive reading', () => {
  test.each(['V1-pin-guptest', 'base-cow-tracepoints-only', 'deb612-cow'])('%s', async (name) => {
    const packed = readFileSync(fileURLToPath(new URL(`../../traces/${name}.txt.gz`, import.meta.url)));
    const trace = await openBytes(packed);
    const byName = new Map<number, { wanted: FieldSpec[]; extract: ReturnType<typeof trace.extractor> }>();
    let compared = 0;
    for await (const batch of trace.batches()) {
      for (let row = 0; row < batch.count; row++) {
        const id = batch.name[row]!;
        const event = trace.names.names[id] ?? '';
        if (batch.row[row] !== 0 || /^(sys_|sched_|tlb_flush|task_)/.test(event)) continue;
        const payload = Buffer.from(batch.bytes.subarray(batch.start[row]!, batch.end[row]!)).toString(
          'latin1',
        );
        let known = byName.get(id);
        if (!known) {
          const keys = [...payload.matchAll(/(?:^|[ (])(\w+)=/g)].map((match) => match[1]!);
          const wanted = [...new Set([...keys, 'ret'])].map((key) => ({
            key,
            form: key === 'flags' && event.startsWith('page_ref') ? 'pageflags' : (FORMS[key] ?? 'int'),
          })) as FieldSpec[];
          known = { wanted, extract: trace.extractor(id, wanted) };
          byName.set(id, known);
        }
        const values = createFieldValues(known.wanted.length);
        known.extract(batch, row, values);
        for (const [i, spec] of known.wanted.entries()) {
          const read = fieldText(spec, values, i);
          if (read !== naive(spec.form, spec.key, payload)) {
            expect([event, spec.key, payload, read]).toEqual([
              event,
              spec.key,
              payload,
              naive(spec.form, spec.key, payload),
            ]);
          }
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(30_000);
  });
});
