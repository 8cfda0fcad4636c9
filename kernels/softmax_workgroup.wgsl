// LANES lanes a row: each takes a stripe of vec4s, the stripes meet in workgroup memory.
override LANES: u32;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let first = group.x * STRIDE4;
  var most4 = vec4f(-3.4e38);
  for (var i = lane.x; i < STRIDE4; i += LANES) { most4 = max(most4, x4(first, i)); }
  partial[lane.x] = largest(most4);
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (lane.x < half) { partial[lane.x] = max(partial[lane.x], partial[lane.x + half]); }
  }
  workgroupBarrier(); // the largest is there
  let most = partial[0];
  workgroupBarrier(); // every lane has it before its place is used again
  var total = vec4f();
  for (var i = lane.x; i < STRIDE4; i += LANES) { total += exp(x4(first, i) - most); }
  partial[lane.x] = dot(total, vec4f(1.0));
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (lane.x < half) { partial[lane.x] += partial[lane.x + half]; }
  }
  workgroupBarrier(); // the total is there
  let factor = 1.0 / partial[0];
  for (var i = lane.x; i < STRIDE4; i += LANES) { out[first + i] = exp(x4(first, i) - most) * factor; }
}
