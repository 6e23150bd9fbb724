/** Every statement that a scenario may use. Adding one: its file, one line here. */
export {
  exit,
  getPage,
  getUnlessZero,
  lockPage,
  munmap,
  putPage,
  sysReturn,
  unlockPageOp,
  unmapTwice,
} from './basic.ts';
export { collapse } from './collapse.ts';
export { deviceRead, deviceWrite, lateInvalidate } from './device.ts';
export { fork } from './fork.ts';
export { dmaRead, dmaWrite, gup, gupFast, putHold } from './gup.ts';
export { ksmMergePage } from './ksm.ts';
export { migrate } from './migrate.ts';
export { read } from './read.ts';
export { dropCache, forceFree, look, swapout, unmap } from './reclaim.ts';
export { addToCache, leaveCache, peek } from './swapcache.ts';
export { swapoff, truncateSwap, zapSwap } from './swapoff.ts';
export { mprotect, mremap, storeCached, uffdUnwp, uffdWp } from './tlb.ts';
export { unmapLater } from './unmap-later.ts';
export { storeWritable, write } from './write.ts';
