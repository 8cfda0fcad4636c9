// out = a + b, one invocation a vec4.
override WIDTH: u32; // columns
override STRIDE: u32; // floats a row
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * (STRIDE / 4u) + id.x;
  if (id.x * 4u < WIDTH) { out[i] = a[i] + b[i]; }
}
