// One invocation a row. Workgroups of one native vector spread rows over the cores of a software adapter.
override WORKGROUP_SIZE: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  var best = 0u;
  var most = x[id.x * STRIDE];
  var most_bits = magnitude_bits(most);
  for (var c = 1u; c < COLUMNS; c++) {
    let value = x[id.x * STRIDE + c];
    most_bits = max(most_bits, magnitude_bits(value));
    if (value > most) { most = value; best = c; }
  }
  out[id.x] = select(NOT_FINITE, best, is_finite(most_bits));
}
