// One invocation an element.
alias Element = f32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * STRIDE + id.x;
  if (id.x < WIDTH) { out[i] = a[i] + b[i]; }
}
