/** The clock that a duration was taken with. */
export type Clock = "gpu" | "host";

/** Begin and end times of up to `capacity` passes, resolved together. */
export class TimestampBatch implements Disposable {
  /** Passes that can be timed together. */
  readonly capacity: number;
  readonly #querySet: GPUQuerySet;
  /** Receives two 64-bit nanosecond counts a pass. */
  readonly buffer: GPUBuffer;

  /** Needs the feature `timestamp-query`. */
  constructor(device: GPUDevice, capacity: number) {
    this.capacity = capacity;
    this.#querySet = device.createQuerySet({ type: "timestamp", count: capacity * 2 });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.buffer = device.createBuffer({ label: "timestamps", size: capacity * 16, usage });
  }

  /** The descriptor that times pass `index`. */
  writes(index: number): GPUComputePassTimestampWrites {
    return {
      querySet: this.#querySet,
      beginningOfPassWriteIndex: index * 2,
      endOfPassWriteIndex: index * 2 + 1,
    };
  }

  /** Encodes the resolve of the first `count` passes. */
  resolve(encoder: GPUCommandEncoder, count: number): void {
    encoder.resolveQuerySet(this.#querySet, 0, count * 2, this.buffer, 0);
  }

  /** Durations in microseconds from the resolved bytes; 0 where a clock ran backwards. */
  static durationsUs(bytes: ArrayBuffer): number[] {
    const ns = new BigUint64Array(bytes);
    const durations: number[] = [];
    for (let i = 0; i + 1 < ns.length; i += 2) {
      const elapsed = (ns[i + 1] ?? 0n) - (ns[i] ?? 0n);
      durations.push(elapsed > 0n ? Number(elapsed) / 1000 : 0);
    }
    return durations;
  }

  /** Frees the queries and their buffer. */
  [Symbol.dispose](): void {
    this.#querySet.destroy();
    this.buffer.destroy();
  }
}
