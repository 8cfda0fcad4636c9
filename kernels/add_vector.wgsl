// One invocation a vec4.
alias Element = vec4f;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * (STRIDE / 4u) + id.x;
  if (id.x * 4u < WIDTH) { out[i] = a[i] + b[i]; }
}
