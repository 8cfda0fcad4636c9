// As the naive one, four pairs an invocation; D must be a multiple of 8.
override HEADS: u32;
override HALF: u32;     // D / 2
override X_STRIDE: u32; // floats a row of x, where heads stand side by side
override STRIDE: u32;   // floats a row of out
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> angles: array<vec4f>; // [S, D]: D/2 cos, then D/2 sin
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let half4 = HALF / 4u;
  if (id.x >= HEADS * half4) { return; }
  let i = id.x % half4;
  let at = (id.x / half4) * half4 * 2u + i;
  let angle = positions[id.y] * half4 * 2u + i;
  let c = angles[angle];
  let s = angles[angle + half4];
  let low = x[id.y * (X_STRIDE / 4u) + at];
  let high = x[id.y * (X_STRIDE / 4u) + at + half4];
  out[id.y * (STRIDE / 4u) + at] = low * c - high * s;
  out[id.y * (STRIDE / 4u) + at + half4] = high * c + low * s;
}
