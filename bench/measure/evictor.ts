import type { DeviceBuffer } from "../../device/buffer.ts";
import type { Device } from "../../device/device.ts";
import type { Dispatch } from "../../device/dispatch.ts";
import evictWgsl from "./evict.wgsl" with { type: "text" };

const VEC4S_A_LANE = 64;

/** Pushes everything else out of the caches: what the mode `cold` runs before each timed pass. */
export class Evictor implements Disposable {
  readonly dispatch: Dispatch;
  readonly #scratch: DeviceBuffer;

  /** Allocates twice the last-level cache, or as much as one binding holds. */
  constructor(device: Device, cacheBytes: number) {
    const bytes = Math.min(2 * cacheBytes, device.bindingBytes);
    this.#scratch = device.allocate({ label: "evict", bytes });
    this.dispatch = device.bind({
      name: "bench/evict",
      wgsl: evictWgsl,
      bindings: [
        { name: "scratch", access: "read_write" },
        { name: "params", access: "uniform" },
      ],
      constants: {},
      params: [Math.floor(bytes / 16), VEC4S_A_LANE],
      workgroups: [Math.ceil(bytes / 16 / VEC4S_A_LANE / 64), 1, 1],
    }, { scratch: this.#scratch });
  }

  /** Frees the scratch memory. */
  [Symbol.dispose](): void {
    this.dispatch.params?.destroy();
    this.#scratch.destroy();
  }
}
