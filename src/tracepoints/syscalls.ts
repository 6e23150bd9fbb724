import { FIELD_OK, type FieldSpec, type FieldValues, fieldNumber, fieldText } from '../core/fields.ts';
import { parseHex } from '../core/pointer.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { sysEnter, sysExit } from '../events/index.ts';
import { SYSCALLS } from '../events/task.ts';
import { type Tracepoint, tracepoint } from './tracepoint.ts';

/** Arguments as SYSCALL_DEFINE names them (6.12), up to the four that events keep. */
const ARGUMENTS: Readonly<Record<(typeof SYSCALLS)[number], string>> = {
  mmap: 'addr len prot flags',
  munmap: 'addr len',
  brk: 'brk',
  mremap: 'addr old_len new_len flags',
  mprotect: 'start len prot',
  pkey_mprotect: 'start len prot pkey',
  madvise: 'start len_in behavior',
  process_madvise: 'pidfd vec vlen behavior',
  msync: 'start len flags',
  mincore: 'start len vec',
  mlock: 'start len',
  mlock2: 'start len flags',
  munlock: 'start len',
  mlockall: 'flags',
  munlockall: '',
  mbind: 'start len mode nmask',
  set_mempolicy: 'mode nmask maxnode',
  migrate_pages: 'pid maxnode old_nodes new_nodes',
  move_pages: 'pid nr_pages pages nodes',
  clone: 'clone_flags newsp parent_tidptr child_tidptr',
  clone3: 'uargs size',
  fork: '',
  vfork: '',
  execve: 'filename argv envp',
  execveat: 'fd filename argv envp',
  exit: 'error_code',
  exit_group: 'error_code',
  swapon: 'specialfile swap_flags',
  swapoff: 'specialfile',
  process_vm_readv: 'pid lvec liovcnt rvec',
  process_vm_writev: 'pid lvec liovcnt rvec',
  vmsplice: 'fd uiov nr_segs flags',
  splice: 'fd_in off_in fd_out off_out',
  tee: 'fdin fdout len flags',
  io_uring_setup: 'entries params',
  io_uring_enter: 'fd to_submit min_complete flags',
  io_uring_register: 'fd opcode arg nr_args',
  userfaultfd: 'flags',
  ioctl: 'fd cmd arg',
  shmat: 'shmid shmaddr shmflg',
  shmdt: 'shmaddr',
  memfd_create: 'uname flags',
  fallocate: 'fd mode offset len',
  ftruncate: 'fd length',
  prctl: 'option arg2 arg3 arg4',
  process_mrelease: 'pidfd flags',
  remap_file_pages: 'start size prot pgoff',
  read: 'fd buf count',
  write: 'fd buf count',
  open: 'filename flags mode',
  openat: 'dfd filename flags mode',
  close: 'fd',
};

/** Names of a syscall's arguments, up to four, as records print them. */
export function syscallArguments(call: (typeof SYSCALLS)[number]): readonly string[] {
  const names = ARGUMENTS[call];
  return names === '' ? [] : names.split(' ');
}

/** x86-64 numbers (arch/x86/entry/syscalls/syscall_64.tbl). */
const NUMBERS_X86: Readonly<Record<(typeof SYSCALLS)[number], number>> = {
  mmap: 9,
  munmap: 11,
  brk: 12,
  mremap: 25,
  mprotect: 10,
  pkey_mprotect: 329,
  madvise: 28,
  process_madvise: 440,
  msync: 26,
  mincore: 27,
  mlock: 149,
  mlock2: 325,
  munlock: 150,
  mlockall: 151,
  munlockall: 152,
  mbind: 237,
  set_mempolicy: 238,
  migrate_pages: 256,
  move_pages: 279,
  clone: 56,
  clone3: 435,
  fork: 57,
  vfork: 58,
  execve: 59,
  execveat: 322,
  exit: 60,
  exit_group: 231,
  swapon: 167,
  swapoff: 168,
  process_vm_readv: 310,
  process_vm_writev: 311,
  vmsplice: 278,
  splice: 275,
  tee: 276,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  userfaultfd: 323,
  ioctl: 16,
  shmat: 30,
  shmdt: 67,
  memfd_create: 319,
  fallocate: 285,
  ftruncate: 77,
  prctl: 157,
  process_mrelease: 448,
  remap_file_pages: 216,
  read: 0,
  write: 1,
  open: 2,
  openat: 257,
  close: 3,
};

const CALL_OF_NUMBER = new Map(SYSCALLS.map((name, call) => [NUMBERS_X86[name], call]));

function enter(event: string, call: number, keys: readonly string[]): Tracepoint {
  const fields: FieldSpec[] = keys.map((key) => ({ key, form: 'hex' }));
  return tracepoint(event, [sysEnter], fields, (values: FieldValues, out: EventBatchBuilder) => {
    const argument = (i: number): number => (i < keys.length ? fieldNumber(values, i) : Number.NaN);
    out.emit(sysEnter, call, argument(0), argument(1), argument(2), argument(3));
  });
}

/** `sys_madvise -> 0x0`; trace-cmd prints `sys_exit_madvise: 0x0`; binary records have `ret`. */
function exit(event: string, call: number): Tracepoint {
  return tracepoint(
    event,
    [sysExit],
    [
      { key: 'ret', form: 'hex' },
      { key: '@text', form: 'bytes' },
    ],
    (values: FieldValues, out: EventBatchBuilder) => {
      const ret =
        values.state[0] === FIELD_OK ? fieldNumber(values, 0) : parseHex(fieldText(values, 1).trim());
      out.emit(sysExit, call, ret);
    },
  );
}

/** Tracepoints of one syscall: entry and return, each as text prints it and as tools name it. */
export function syscallTracepoints(event: string): readonly Tracepoint[] {
  const match = /^sys_(?:(enter)_|(exit)_)?([a-z0-9_]+?)(->)?$/.exec(event);
  if (match === null) return [];
  // `sys_exit_group(..)` is a syscall of its own; `sys_exit_madvise` is a return.
  const written = event.replace(/^sys_/, '').replace(/->$/, '');
  const whole = SYSCALLS.indexOf(written as (typeof SYSCALLS)[number]);
  const name = whole >= 0 ? written : match[3]!;
  const call = SYSCALLS.indexOf(name as (typeof SYSCALLS)[number]);
  const returns = match[4] !== undefined || (whole < 0 && match[2] !== undefined);
  if (returns) return [exit(event, call)];
  return [enter(event, call, call < 0 ? [] : syscallArguments(SYSCALLS[call]!))];
}

/** `NR 28 (7f5d60000000, 200000, 4, 0, 0, 0)` */
const RAW_ENTER = /^NR (\d+) \(([0-9a-f]+), ([0-9a-f]+), ([0-9a-f]+), ([0-9a-f]+)/;
/** `NR 28 = 0` */
const RAW_EXIT = /^NR (\d+) = (-?\d+)/;

/** raw_syscalls/*: numbers are those of the architecture; only x86-64 ones are known. */
export const rawSyscallTracepoints: readonly Tracepoint[] = [
  tracepoint('sys_enter', [sysEnter], [{ key: '@text', form: 'bytes' }], (values, out, ctx) => {
    const match = RAW_ENTER.exec(fieldText(values, 0));
    if (match === null || !ctx.kernel.pte.x86) return;
    const word = (i: number): number => parseHex(match[i]!);
    out.emit(sysEnter, CALL_OF_NUMBER.get(Number(match[1])) ?? -1, word(2), word(3), word(4), word(5));
  }),
  // The syscall exit itself: `sys_exit(error_code: 0)`.
  { ...enter('sys_exit', SYSCALLS.indexOf('exit'), ['error_code']), requires: ['error_code'] },
  tracepoint('sys_exit', [sysExit], [{ key: '@text', form: 'bytes' }], (values, out, ctx) => {
    const match = RAW_EXIT.exec(fieldText(values, 0));
    if (match === null || !ctx.kernel.pte.x86) return;
    out.emit(sysExit, CALL_OF_NUMBER.get(Number(match[1])) ?? -1, Number(match[2]));
  }),
];
