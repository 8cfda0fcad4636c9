import type { WgslPart } from "../device/program.ts";
import { wgslFile } from "./define_kernel.ts";
import { UNIT_ROUNDOFF } from "./rounding.ts";
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

/**
 * Absolute error of the shader's activation, where its argument is at most `in` and off by `error`, and
 * its result at most `out`. WGSL allows exp 3 + 2 |v| units in the last place and a division 2.5, which
 * is 8 u of the result; the erf of the shader is good to 1.5e-7, or 3 u, its terms add as much, and so
 * may a driver's tanh, all of them times half the argument. Slopes are at most 1.13.
 */
export function activationError(
  name: ActivationName,
  at: { readonly in: number; readonly out: number; readonly error: number },
): number {
  if (name === "none" || name === "relu") return at.error;
  const erf = name === "silu" ? 0 : 6 * at.in / 2;
  return 1.13 * at.error + UNIT_ROUNDOFF * (8 * at.out + erf);
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
