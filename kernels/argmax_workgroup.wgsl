// WORKGROUP_SIZE invocations a row: each takes a stripe of columns, the stripes meet in workgroup memory.
override WORKGROUP_SIZE: u32;
var<workgroup> most_of: array<f32, 256>;
var<workgroup> best_of: array<u32, 256>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  // An invocation with no column repeats the last one, which changes neither the value nor the lowest id.
  var best = min(local.x, COLUMNS - 1u);
  var most = x[group.x * STRIDE + best];
  var most_bits = magnitude_bits(most);
  for (var c = local.x + WORKGROUP_SIZE; c < COLUMNS; c += WORKGROUP_SIZE) {
    let value = x[group.x * STRIDE + c];
    most_bits = max(most_bits, magnitude_bits(value));
    if (value > most) { most = value; best = c; }
  }
  if (!is_finite(most_bits)) { best = NOT_FINITE; }
  most_of[local.x] = most;
  best_of[local.x] = best;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (local.x < half) {
      let value = most_of[local.x + half];
      let c = best_of[local.x + half];
      let is_better = value > most_of[local.x] || (value == most_of[local.x] && c < best_of[local.x]);
      if (c == NOT_FINITE || (best_of[local.x] != NOT_FINITE && is_better)) {
        most_of[local.x] = value;
        best_of[local.x] = c;
      }
    }
  }
  if (local.x == 0u) { out[group.x] = best_of[0]; }
}
