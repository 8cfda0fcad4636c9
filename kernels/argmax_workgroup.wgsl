// LANES lanes a row: each takes a stripe of columns, the stripes meet in workgroup memory.
override LANES: u32;
var<workgroup> most_of: array<f32, 256>;
var<workgroup> best_of: array<u32, 256>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  // A lane with no column repeats the last one, which changes neither the value nor the lowest id.
  var best = min(lane.x, COLUMNS - 1u);
  var most = x[group.x * STRIDE + best];
  for (var c = lane.x + LANES; c < COLUMNS; c += LANES) {
    let value = x[group.x * STRIDE + c];
    if (value > most) { most = value; best = c; }
  }
  most_of[lane.x] = most;
  best_of[lane.x] = best;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (lane.x < half) {
      let value = most_of[lane.x + half];
      let c = best_of[lane.x + half];
      if (value > most_of[lane.x] || (value == most_of[lane.x] && c < best_of[lane.x])) {
        most_of[lane.x] = value;
        best_of[lane.x] = c;
      }
    }
  }
  if (lane.x == 0u) { out[group.x] = best_of[0]; }
}
