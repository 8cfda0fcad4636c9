// sum = x + residual (or x); out = sum / sqrt(mean(sum^2) + EPSILON) * norm_weight; rows of HIDDEN.
// What every variant shares: bindings and the value of one element before the norm.
override HIDDEN: u32;
override STRIDE4: u32; // vec4s a row
override EPSILON: f32;
override HAS_RESIDUAL: bool;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> residual: array<vec4f>;
@group(0) @binding(2) var<storage, read> norm_weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(5) var<uniform> params: vec4u; // x: tokens T

fn sum4(i: u32) -> vec4f {
  if (HAS_RESIDUAL) { return x[i] + residual[i]; }
  return x[i];
}
