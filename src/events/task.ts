import { kind } from './declare.ts';

export const taskFork = kind('task.fork', 'a task made a child (after its page tables were copied)', {
  parent: 'pid',
  child: 'pid',
});
export const taskNew = kind(
  'task.new',
  "a task came to be; vm: it shares its maker's mm (CLONE_VM), thread: it is a thread of its maker",
  {
    pid: 'pid',
    vm: 'bool',
    thread: 'bool',
    mm: 'mm',
  },
);
export const taskExec = kind(
  'task.exec',
  'a task executed a program; its mm was replaced before this record',
  { pid: 'pid', oldpid: 'pid' },
);
export const taskExit = kind('task.exit', "a task exits; the last user's mm may already be gone", {
  pid: 'pid',
});
export const taskFree = kind('task.free', 'a task structure was freed', { pid: 'pid' });
export const taskSwitch = kind(
  'task.switch',
  'a CPU switched tasks; preempted: the old one was still runnable',
  { prev: 'pid', next: 'pid', preempted: 'bool' },
);
export const mmInit = kind('mm.init', 'an mm structure was set up for a task (mm_init)', {
  mm: 'mm',
  pid: 'pid',
  tgid: 'pid',
});
export const mmDup = kind('mm.dup', "fork finished copying the caller's mm (return of dup_mm)", { mm: 'mm' });
export const mmExec = kind(
  'mm.exec',
  "the caller's mm is about to be replaced by this one (begin_new_exec)",
  { mm: 'mm' },
);
export const mmExit = kind(
  'mm.exit',
  'an mm is torn down (exit_mmap): its pointer may be used for another mm later',
  { mm: 'mm' },
);

/** Syscalls that move MM state, by faultline's own number (`call` of sys.enter and sys.exit). */
export const SYSCALLS = [
  'mmap',
  'munmap',
  'brk',
  'mremap',
  'mprotect',
  'pkey_mprotect',
  'madvise',
  'process_madvise',
  'msync',
  'mincore',
  'mlock',
  'mlock2',
  'munlock',
  'mlockall',
  'munlockall',
  'mbind',
  'set_mempolicy',
  'migrate_pages',
  'move_pages',
  'clone',
  'clone3',
  'fork',
  'vfork',
  'execve',
  'execveat',
  'exit',
  'exit_group',
  'swapon',
  'swapoff',
  'process_vm_readv',
  'process_vm_writev',
  'vmsplice',
  'splice',
  'tee',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'userfaultfd',
  'ioctl',
  'shmat',
  'shmdt',
  'memfd_create',
  'fallocate',
  'ftruncate',
  'prctl',
  'process_mrelease',
  'remap_file_pages',
  'read',
  'write',
  'open',
  'openat',
  'close',
] as const;
export const sysEnter = kind(
  'sys.enter',
  'a syscall begins; call is its position in SYSCALLS, -1 another; arguments as raw words',
  {
    call: 'code',
    a0: 'ptr',
    a1: 'ptr',
    a2: 'ptr',
    a3: 'ptr',
  },
);
export const sysExit = kind('sys.exit', 'a syscall returned', { call: 'code', ret: 'long' });
