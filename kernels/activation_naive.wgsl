// out[t, f] = activate(x[t, f]), or activate(x[t, f]) * x[t, F + f] where GATED (gate first, then
// up); one invocation an element.
override WIDTH: u32;    // F
override X_STRIDE: u32; // floats a row of x
override STRIDE: u32;   // floats a row of out
override GATED: bool;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= WIDTH) { return; }
  let i = id.y * X_STRIDE + id.x;
  var value = activate(vec4f(x[i])).x;
  if (GATED) { value *= x[i + WIDTH]; }
  out[id.y * STRIDE + id.x] = value;
}
