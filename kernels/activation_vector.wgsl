// As the naive one, a vec4 an invocation; where GATED, F must be a multiple of 4.
override WIDTH: u32;    // F
override X_STRIDE: u32; // floats a row of x
override STRIDE: u32;   // floats a row of out
override GATED: bool;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x * 4u >= WIDTH) { return; }
  let i = id.y * (X_STRIDE / 4u) + id.x;
  var value = activate(x[i]);
  if (GATED) { value *= x[i + WIDTH / 4u]; }
  out[id.y * (STRIDE / 4u) + id.x] = value;
}
