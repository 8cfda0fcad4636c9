// out = a + b, one invocation an element.
override WIDTH: u32; // columns
override STRIDE: u32; // floats a row
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * STRIDE + id.x;
  if (id.x < WIDTH) { out[i] = a[i] + b[i]; }
}
