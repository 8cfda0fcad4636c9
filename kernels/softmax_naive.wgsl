// One invocation a row, one scalar at a time, three passes.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  let first = id.x * STRIDE4;
  var most = -3.4e38;
  for (var i = 0u; i < COLUMNS; i++) { most = max(most, x[first + i / 4u][i % 4u]); }
  var total = 0.0;
  for (var i = 0u; i < COLUMNS; i++) { total += exp(x[first + i / 4u][i % 4u] - most); }
  for (var i = 0u; i < COLUMNS; i++) {
    out[first + i / 4u][i % 4u] = exp(x[first + i / 4u][i % 4u] - most) / total;
  }
}
