/** Every statement that a scenario may use. Adding one: its file, one line here. */
export {
  getPage,
  getUnlessZero,
  lockPage,
  munmap,
  putPage,
  unlockPageOp,
  unmapTwice,
} from './basic.ts';
export { collapse } from './collapse.ts';
export { deviceRead, deviceWrite, lateInvalidate } from './device.ts';
export { fork } from './fork.ts';
export { dmaRead, dmaWrite, gup, gupFast, putHold } from './gup.ts';
export { ksmMergePage } from './ksm.ts';
export { read } from './read.ts';
export { dropCache, forceFree, look, swapout, unmap } from './reclaim.ts';
export { swapoff, truncateSwap, zapSwap } from './swapoff.ts';
export { storeWritable, write } from './write.ts';
