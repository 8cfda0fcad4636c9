import type { DeviceBuffer } from "../../device/buffer.ts";
import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import flushWgsl from "./cache_flush.wgsl" with { type: "text" };

const VEC4S_PER_INVOCATION = 64;

/** Pushes everything else out of the caches: what the mode `cold` runs before each timed pass. */
export class CacheFlush implements Disposable {
  readonly dispatch: Dispatch;
  readonly #scratch: DeviceBuffer;

  /** Allocates twice the last-level cache, or as much as one binding holds. */
  constructor(device: Device, cacheBytes: number) {
    const bytes = Math.min(2 * cacheBytes, device.maxStorageBufferBindingSize);
    this.#scratch = device.allocate({ label: "cache_flush", bytes });
    this.dispatch = device.bind({
      name: "bench/cache_flush",
      wgsl: [{ file: "bench/measure/cache_flush.wgsl", text: flushWgsl }],
      bindings: [
        { name: "scratch", access: "read_write" },
        { name: "params", access: "uniform" },
      ],
      constants: {},
      params: [Math.floor(bytes / 16), VEC4S_PER_INVOCATION],
      workgroups: [Math.ceil(bytes / 16 / VEC4S_PER_INVOCATION / 64), 1, 1],
    }, { scratch: this.#scratch });
  }

  /** Frees the scratch memory. */
  [Symbol.dispose](): void {
    this.dispatch.params?.destroy();
    this.#scratch.destroy();
  }
}
