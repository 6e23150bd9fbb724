/**
 * Phases of a swap device (domain.md 1.7). `unknown`: never seen or forgotten; `on`: slots are handed out; `unusing`:
 * swapoff brings its pages back (try_to_unuse); `dead`: that succeeded, whoever still uses the device is waited for;
 * `freed`: swap_map and address space are gone; `reusable`: a swapon began since, which may have taken the type.
 */
export type DevicePhase = 'unknown' | 'on' | 'unusing' | 'dead' | 'freed' | 'reusable';

/** One swap device, by its type number. What is not known is NaN. */
export interface SwapDevice {
  readonly type: number;
  phase: DevicePhase;
  /** Seq from which the phase holds. */
  since: number;
  /** Slots in use as si->inuse_pages was last printed, the change of that record included. */
  inuse: number;
  inuseSeq: number;
  /** The last swapoff: start of try_to_unuse, its successful return, and the teardown. Seq 0: not seen. */
  unuseSeq: number;
  unusedSeq: number;
  unusedNs: number;
  freedSeq: number;
  freedNs: number;
  freedCpu: number;
  freedPid: number;
}

/** What a snapshot holds of devices. */
export interface SwapDevicesImage {
  readonly devices: readonly SwapDevice[];
  readonly offDepth: number;
}

/** Swap devices by type. */
export class SwapDevices {
  readonly #byType = new Map<number, SwapDevice>();
  /**
   * Preempt depth at the entry of swapoff, a place where no lock is held: what probes of this trace add themselves.
   * NaN: not seen.
   */
  offDepth = Number.NaN;

  /** The device of a type, made with nothing known on first sight. */
  get(type: number): SwapDevice {
    let device = this.#byType.get(type);
    if (device === undefined) {
      device = {
        type,
        phase: 'unknown',
        since: 0,
        inuse: Number.NaN,
        inuseSeq: 0,
        unuseSeq: 0,
        unusedSeq: 0,
        unusedNs: Number.NaN,
        freedSeq: 0,
        freedNs: Number.NaN,
        freedCpu: -1,
        freedPid: -1,
      };
      this.#byType.set(type, device);
    }
    return device;
  }

  /** The device of a type if it was seen. */
  peek(type: number): SwapDevice | undefined {
    return this.#byType.get(type);
  }

  /** All devices, in order of first sight. */
  all(): IterableIterator<SwapDevice> {
    return this.#byType.values();
  }

  /** Enters a phase. */
  enter(device: SwapDevice, phase: DevicePhase, seq: number): void {
    device.phase = phase;
    device.since = seq;
  }

  /** A slot of it was handed out: the device is on, whatever was believed. */
  alive(type: number, seq: number): void {
    const device = this.get(type);
    // try_to_unuse runs while slots reserved before are still given out.
    if (device.phase === 'on' || device.phase === 'unusing') return;
    this.enter(device, 'on', seq);
    device.freedSeq = 0;
    device.unusedSeq = 0;
    device.unuseSeq = 0;
  }

  /** swapon begins: which type it takes is not told. */
  reopen(seq: number): void {
    for (const device of this.#byType.values())
      if (device.phase === 'freed') this.enter(device, 'reusable', seq);
  }

  /** Records were lost. */
  degrade(): void {
    this.#byType.clear();
  }

  clear(): void {
    this.#byType.clear();
    this.offDepth = Number.NaN;
  }

  image(): SwapDevicesImage {
    return { devices: [...this.#byType.values()].map((device) => ({ ...device })), offDepth: this.offDepth };
  }

  restore(image: SwapDevicesImage): void {
    this.clear();
    for (const device of image.devices) this.#byType.set(device.type, { ...device });
    this.offDepth = image.offDepth;
  }
}
