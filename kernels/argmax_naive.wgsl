// One invocation a row. Workgroups of one native vector spread rows over the cores of a software adapter.
override WORKGROUP_SIZE: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
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
