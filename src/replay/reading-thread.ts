/**
 * The thread that reads and decodes. It can be started while the program still loads, so that it has loaded what it
 * needs by the time an input is named: this file therefore imports nothing that takes long.
 */
import { Worker } from 'node:worker_threads';

let ready: Worker | null = null;

function start(): Worker {
  // Source and built code differ in nothing but their ending.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const worker = new Worker(new URL(`./ingest-worker${ending}`, import.meta.url));
  // Errors of a thread that waits are for whoever takes it.
  worker.unref();
  return worker;
}

/** Starts the thread that the next input will be read in. The program may end without using it. */
export function prepareReading(): void {
  ready ??= start();
}

/** A thread that waits for the name of an input, as its first message. It is the caller's to end. */
export function readingThread(): Worker {
  const worker = ready ?? start();
  ready = null;
  worker.ref();
  return worker;
}
