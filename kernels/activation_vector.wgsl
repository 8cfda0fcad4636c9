// A vec4 an invocation; where GATED, F must be a multiple of 4.
alias Element = vec4f;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x * 4u >= WIDTH) { return; }
  let i = id.y * (X_STRIDE / 4u) + id.x;
  var value = activate(x[i]);
  if (GATED) { value *= x[i + WIDTH / 4u]; }
  out[id.y * (STRIDE / 4u) + id.x] = value;
}
