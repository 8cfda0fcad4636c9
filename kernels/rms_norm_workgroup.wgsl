// LANES lanes a row: each sums a stripe of vec4s, the stripes meet in workgroup memory.
override LANES: u32;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let first = group.x * STRIDE4;
  var squares = vec4f();
  for (var i = lane.x; i < STRIDE4; i += LANES) {
    let value = sum4(first + i);
    squares += value * value;
  }
  partial[lane.x] = dot(squares, vec4f(1.0));
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (lane.x < half) { partial[lane.x] += partial[lane.x + half]; }
  }
  workgroupBarrier(); // the total is there
  let factor = inverseSqrt(partial[0] / f32(HIDDEN) + EPSILON);
  for (var i = lane.x; i < STRIDE4; i += LANES) {
    let value = sum4(first + i);
    if (HAS_RESIDUAL) { sum[first + i] = value; }
    out[first + i] = value * factor * gain[i];
  }
}
