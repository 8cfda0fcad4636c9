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

  /** Durations in microseconds from the resolved bytes; undefined where the clock ran backwards. */
  static durationsUs(bytes: ArrayBuffer): (number | undefined)[] {
    const ns = new BigUint64Array(bytes);
    const durations: (number | undefined)[] = [];
    for (let i = 0; i + 1 < ns.length; i += 2) {
      const [begin, end] = [ns[i]!, ns[i + 1]!];
      durations.push(end >= begin ? Number(end - begin) / 1000 : undefined);
    }
    return durations;
  }

  /** Frees the queries and their buffer. */
  [Symbol.dispose](): void {
    this.#querySet.destroy();
    this.buffer.destroy();
  }
}
