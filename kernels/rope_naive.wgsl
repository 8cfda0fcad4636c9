// Rotary position embedding, half-split as in Hugging Face's Llama: for i < D/2
//   out[i]       = x[i] cos - x[i + D/2] sin
//   out[i + D/2] = x[i + D/2] cos + x[i] sin
// with cos and sin from row `position` of the table. One invocation a pair.
override HEADS: u32;
override HALF: u32;     // D / 2
override X_STRIDE: u32; // floats a row of x, where heads stand side by side
override STRIDE: u32;   // floats a row of out
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> angles: array<f32>; // [S, D]: D/2 cos, then D/2 sin
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEADS * HALF) { return; }
  let i = id.x % HALF;
  let at = (id.x / HALF) * HALF * 2u + i;
  let angle = positions[id.y] * HALF * 2u + i;
  let c = angles[angle];
  let s = angles[angle + HALF];
  let low = x[id.y * X_STRIDE + at];
  let high = x[id.y * X_STRIDE + at + HALF];
  out[id.y * STRIDE + at] = low * c - high * s;
  out[id.y * STRIDE + at + HALF] = high * c + low * s;
}
