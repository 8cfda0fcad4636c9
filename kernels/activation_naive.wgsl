// One invocation an element.
alias Element = f32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= WIDTH) { return; }
  let i = id.y * X_STRIDE + id.x;
  var value = activate(vec4f(x[i])).x;
  if (GATED) { value *= x[i + WIDTH]; }
  out[id.y * STRIDE + id.x] = value;
}
