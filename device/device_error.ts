/** What sort of thing went wrong on a device. */
export type DeviceErrorKind =
  | "NoAdapter"
  | "DeviceLost"
  | "ShaderCompilation"
  | "Validation"
  | "OutOfMemory"
  | "Internal"
  | "ReadBack";

/** An error of the adapter, its driver, or of a command given to it. */
export class DeviceError extends Error {
  /** What its handling depends on: `OutOfMemory` fails a row, `DeviceLost` ends a run. */
  readonly kind: DeviceErrorKind;

  /** An error whose name is `DeviceError.<kind>`. */
  constructor(kind: DeviceErrorKind, message: string) {
    super(message);
    this.name = `DeviceError.${kind}`;
    this.kind = kind;
  }
}

/** The kind of a WebGPU error object, from its class. */
export function kindOfGpuError(error: GPUError): DeviceErrorKind {
  if (error instanceof GPUOutOfMemoryError) return "OutOfMemory";
  if (error instanceof GPUValidationError) return "Validation";
  return "Internal";
}
