import { DeviceError, kindOfGpuError } from "./device_error.ts";

const FILTERS: readonly GPUErrorFilter[] = ["validation", "out-of-memory", "internal"];

/** Keeps the first error of a device, so that work which silently did nothing is never trusted. */
export class ErrorWatch {
  readonly #device: GPUDevice;
  readonly #pending = new Set<Promise<void>>();
  #first: DeviceError | undefined;
  #closing = false;

  /** Watches for uncaptured errors and for the loss of the device. */
  constructor(device: GPUDevice) {
    this.#device = device;
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#keep((event as GPUUncapturedErrorEvent).error, "uncaptured");
    });
    device.lost.then((info) => {
      if (this.#closing) return;
      this.report(
        new DeviceError(
          "DeviceLost",
          `Cannot go on with the device: it was lost (${info.message})`,
        ),
      );
    });
  }

  /** Runs set-up or a submission inside error scopes; its errors surface at the next `check`. */
  guard<T>(what: string, run: () => T): T {
    for (const filter of FILTERS) this.#device.pushErrorScope(filter);
    try {
      return run();
    } finally {
      for (const _ of FILTERS) this.#await(what, this.#device.popErrorScope());
    }
  }

  /**
   * Throws for ever once there was an error: a device with one is not to be used.
   * @throws {DeviceError} the first that was seen.
   */
  check(): void {
    if (this.#first) throw this.#first;
  }

  /**
   * Waits for the scopes still open, then checks.
   * @throws {DeviceError} the first that was seen.
   */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    this.check();
  }

  /** Keeps an error found elsewhere; the first wins. */
  report(error: DeviceError): void {
    this.#first ??= error;
  }

  /** Forgets the kept error: only where the failure was handled. */
  forget(): void {
    this.#first = undefined;
  }

  /**
   * The first line of an error of the device, which is forgotten: what failed is left, the device goes on.
   * @throws the error itself where the device is lost, or where it is none of a device.
   */
  recover(error: unknown): string {
    if (!(error instanceof DeviceError) || error.kind === "DeviceLost") throw error;
    this.forget();
    return error.message.split("\n")[0]!;
  }

  /** From here on the loss of the device is our own doing. */
  close(): void {
    this.#closing = true;
  }

  #await(what: string, popped: Promise<GPUError | null>): void {
    const settled: Promise<void> = popped.then((error) => {
      if (error) this.#keep(error, what);
    }, (reason) => {
      if (this.#closing) return;
      this.report(new DeviceError("DeviceLost", `Cannot finish ${what}: ${reason}`));
    }).finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }

  #keep(error: GPUError, what: string): void {
    this.report(new DeviceError(kindOfGpuError(error), `Cannot finish ${what}: ${error.message}`));
  }
}
