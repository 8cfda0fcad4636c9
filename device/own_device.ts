import type { AdapterOptions } from "./adapter.ts";
import { Device } from "./device.ts";
import { DeviceError } from "./device_error.ts";

/** How long a driver may take to open a device, in ms: the first time may be slow. */
export const DRIVER_MS = 120_000;

/** How a driver is tried. */
export interface TryDriverOptions {
  /** {@linkcode DRIVER_MS} where absent. */
  readonly withinMs?: number;
  /** Ends the wait at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Starts the Worker that tries; driver_worker.ts where absent. */
  readonly startWorker?: () => Worker;
}

/**
 * Opens the device that this thread works with. WebGPU calls block their thread: a driver that hangs would
 * hang the program, deaf to Ctrl-C. So a Worker tries first, where Deno may read this program's files.
 * @throws {DeviceError} `NoAdapter` where there is none, or where the driver does not answer in time.
 * @throws the signal's reason, once it is raised while the driver is tried.
 */
export async function openOwnDevice(
  adapter: AdapterOptions = {},
  options: TryDriverOptions = {},
): Promise<Device> {
  const path = new URL(".", import.meta.url);
  const may = path.protocol === "file:" &&
    Deno.permissions.querySync({ name: "read", path }).state === "granted";
  if (may) await tryDriver(options);
  return await Device.open(adapter);
}

/**
 * Waits until a Worker has opened a device, or was told why it cannot.
 * @throws as {@linkcode openOwnDevice}, but for an adapter that is not there.
 */
export async function tryDriver(
  { withinMs = DRIVER_MS, signal, startWorker = startDriverWorker }: TryDriverOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = startWorker();
  worker.onmessage = () => resolve();
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(); // opening it here will say what is wrong
  };
  const why = `the driver did not open a device within ${withinMs} ms`;
  const timer = setTimeout(() => {
    reject(new DeviceError("NoAdapter", `Cannot open a GPU adapter: ${why}`));
  }, withinMs);
  const onAbort = () => reject(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    worker.terminate();
  }
}

function startDriverWorker(): Worker {
  return new Worker(new URL("./driver_worker.ts", import.meta.url), { type: "module" });
}
