import type { WgslPart } from "../device/program.ts";
import { wgslFile } from "./define_kernel.ts";
import wgsl from "./activate_shared.wgsl" with { type: "text" };

/** Activation functions; `gelu` is the exact one (erf), `gelu_tanh` the approximation. */
export const ACTIVATIONS = ["none", "silu", "gelu", "gelu_tanh", "relu"] as const;

/** One of {@linkcode ACTIVATIONS}. */
export type ActivationName = typeof ACTIVATIONS[number];

/** The shader text of `activate`. */
export const ACTIVATE_WGSL: WgslPart = wgslFile("activate_shared.wgsl", wgsl);

/** The value of the shader's ACTIVATION constant. */
export function activationCode(name: ActivationName): number {
  return ACTIVATIONS.indexOf(name);
}

/** The function in float64. */
export function activate(name: ActivationName, v: number): number {
  switch (name) {
    case "none":
      return v;
    case "silu":
      return v / (1 + Math.exp(-v));
    case "gelu":
      return 0.5 * v * (1 + erf(v / Math.SQRT2));
    case "gelu_tanh":
      return 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    case "relu":
      return Math.max(v, 0);
  }
}

/** Absolute error of the shader's activation at inputs up to `max`, given their error. */
export function activationError(name: ActivationName, input: { max: number; error: number }) {
  if (name === "none" || name === "relu") return input.error;
  // Each of these has a slope of at most 1.13; the erf of the shader is good to 1.5e-7, and
  // exp and tanh of a driver to about 16 units in the last place.
  return 1.13 * input.error + input.max * 2e-6;
}

/** erf by its Taylor series below 3 and by its continued fraction above: full float64 accuracy. */
function erf(v: number): number {
  const a = Math.abs(v);
  if (a > 6) return Math.sign(v);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 120 && Math.abs(term) > 1e-17 * sum; n++) {
      term *= -a * a / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(v) * 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(v) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
