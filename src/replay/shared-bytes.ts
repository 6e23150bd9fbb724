/**
 * Memory for the bytes of messages to another thread, which is used in turn as that of event batches is: buffers that
 * are handed over stay with the receiver until its next large collection, which a long trace hardly ever sees.
 */
export class SharedBytes {
  readonly #slots: SharedArrayBuffer[];
  #turn = 0;
  #used = 0;

  /** `turns`: so many messages hold their bytes at a time. */
  constructor(turns: number) {
    this.#slots = Array.from({ length: turns }, () => new SharedArrayBuffer(0));
  }

  /** Begins a message: what was shared so many messages ago is overwritten. */
  next(): void {
    this.#turn = (this.#turn + 1) % this.#slots.length;
    this.#used = 0;
  }

  /** The same bytes where the other thread sees them. */
  share(bytes: Uint8Array): Uint8Array {
    let slot = this.#slots[this.#turn]!;
    if (this.#used + bytes.length > slot.byteLength) {
      // What was shared before in this message stays where it is.
      slot = new SharedArrayBuffer(Math.max(slot.byteLength * 2, bytes.length * 2));
      this.#slots[this.#turn] = slot;
      this.#used = 0;
    }
    const shared = new Uint8Array(slot, this.#used, bytes.length);
    shared.set(bytes);
    this.#used += bytes.length;
    return shared;
  }
}
