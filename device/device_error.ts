/** What went wrong on the device; the name says which kind. */
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
  /** The kind of failure. */
  readonly kind: DeviceErrorKind;

  /** An error of the given kind. */
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
