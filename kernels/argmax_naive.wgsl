// One invocation a row.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  var best = 0u;
  var most = x[id.x * STRIDE];
  for (var c = 1u; c < COLUMNS; c++) {
    let value = x[id.x * STRIDE + c];
    if (value > most) { most = value; best = c; }
  }
  out[id.x] = best;
}
