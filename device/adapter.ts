import { DeviceError } from "./device_error.ts";

/** What sort of hardware an adapter is. */
export type AdapterType = "discrete" | "integrated" | "software" | "unknown";

/** Which adapter is wanted. */
export interface AdapterOptions {
  readonly powerPreference?: GPUPowerPreference | undefined;
  /** Whether a software adapter will do (default true). */
  readonly allowSoftware?: boolean | undefined;
}

/** Who an adapter is: what tells two of them apart and what they may do. */
export interface AdapterIdentity {
  /** Name of the device, as the driver tells it. */
  readonly name: string;
  /** Who made it. */
  readonly vendor: string;
  /** Its family. */
  readonly architecture: string;
  /** Whether it is hardware of its own. */
  readonly type: AdapterType;
  /** WebGPU features that it has. */
  readonly features: readonly string[];
  /** WebGPU limits that it has. */
  readonly limits: Readonly<Record<string, number>>;
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render|warp/i;
const INTEGRATED =
  /intel.*(graphics|iris|uhd|hd)|radeon.*(vega|graphics)$|apple m\d|adreno|mali|tegra/i;
const DISCRETE =
  /geforce|nvidia|quadro|tesla|rtx|gtx|radeon (rx|pro)|instinct|arc\b|\b[AHBL]\d{2,3}\b/i;

/** Classifies an adapter by its fallback flag and its name; WebGPU does not say it itself. */
export function adapterType(name: string, isFallbackAdapter: boolean): AdapterType {
  if (isFallbackAdapter || SOFTWARE.test(name)) return "software";
  if (INTEGRATED.test(name)) return "integrated";
  if (DISCRETE.test(name)) return "discrete";
  return "unknown";
}

/** The identity of an adapter, read from its info, features and limits. */
export function adapterIdentity(adapter: GPUAdapter): AdapterIdentity {
  const info = adapter.info;
  const name = info.description || info.device || info.architecture || "unnamed adapter";
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, key);
    if (typeof value === "number") limits[key] = value;
  }
  return {
    name,
    vendor: info.vendor,
    architecture: info.architecture,
    type: adapterType(name, info.isFallbackAdapter),
    features: [...adapter.features].sort(),
    limits,
  };
}

/**
 * Asks for an adapter.
 * @throws {DeviceError} `NoAdapter` with one sentence that says what to install.
 */
export async function requestAdapter(options: AdapterOptions = {}): Promise<GPUAdapter> {
  setLinuxDefaults();
  const { powerPreference, allowSoftware = true } = options;
  const adapter = await navigator.gpu?.requestAdapter(powerPreference ? { powerPreference } : {});
  if (!adapter) {
    throw new DeviceError(
      "NoAdapter",
      "Cannot open a GPU adapter: no Vulkan, Metal or DirectX 12 driver was found; " +
        "install your GPU's driver, or Mesa's software one " +
        "(Debian: apt-get install mesa-vulkan-drivers libvulkan1).",
    );
  }
  const identity = adapterIdentity(adapter);
  if (identity.type === "software" && !allowSoftware) {
    throw new DeviceError(
      "NoAdapter",
      `Cannot use the adapter "${identity.name}": it is software and adapter.allow_software is ` +
        "false; set it to true or install a GPU driver.",
    );
  }
  return adapter;
}

/** Variables that Deno and Mesa read at the first request for an adapter, unless the user set them. */
const LINUX_DEFAULTS = {
  // Mesa prints a line on stderr for every device without it.
  XDG_RUNTIME_DIR: "/tmp",
  // Without a Vulkan driver OpenGL would stand in, with other limits and clocks under the same name.
  DENO_WEBGPU_BACKEND: "vulkan",
} as const;

function setLinuxDefaults(): void {
  if (Deno.build.os !== "linux") return;
  for (const [variable, value] of Object.entries(LINUX_DEFAULTS)) {
    if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") continue;
    if (!Deno.env.get(variable)) Deno.env.set(variable, value);
  }
}
