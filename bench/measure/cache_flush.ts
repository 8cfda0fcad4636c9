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
  constructor(device: Device) {
    const bytes = Math.min(2 * lastLevelCacheBytes(), device.maxStorageBufferBindingSize);
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

/** Twice this is flushed where the machine does not say how large its cache is. */
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;

/** The size of the last-level cache in bytes, as Linux says it. */
function lastLevelCacheBytes(): number {
  try {
    const text = Deno.readTextFileSync("/sys/devices/system/cpu/cpu0/cache/index3/size").trim();
    const [, size, unit] = /^(\d+)([KM])$/.exec(text) ?? [];
    if (size !== undefined) return Number(size) * (unit === "M" ? 2 ** 20 : 2 ** 10);
  } catch {
    // Another system, or no permission.
  }
  return DEFAULT_CACHE_BYTES;
}
