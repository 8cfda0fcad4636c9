// One invocation a row, a vec4 at a time; e^(x - m) is stored once and scaled in a last pass.
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  let first = id.x * STRIDE4;
  var most4 = vec4f(-3.4e38);
  for (var i = 0u; i < STRIDE4; i++) { most4 = max(most4, x4(first, i)); }
  let most = largest(most4);
  var total = vec4f();
  for (var i = 0u; i < STRIDE4; i++) { total += exp(x4(first, i) - most); }
  let factor = 1.0 / dot(total, vec4f(1.0));
  for (var i = 0u; i < STRIDE4; i++) { out[first + i] = exp(x4(first, i) - most) * factor; }
}
