// WORKGROUP_SIZE invocations a row: each sums a stripe of vec4s, the stripes meet in workgroup memory.
override WORKGROUP_SIZE: u32;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.x * STRIDE4;
  var squares = vec4f();
  for (var i = local.x; i < STRIDE4; i += WORKGROUP_SIZE) {
    let value = sum4(first + i);
    squares += value * value;
  }
  partial[local.x] = dot(squares, vec4f(1.0));
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (local.x < half) { partial[local.x] += partial[local.x + half]; }
  }
  workgroupBarrier(); // the total is there
  let factor = inverseSqrt(partial[0] / f32(HIDDEN) + EPSILON);
  for (var i = local.x; i < STRIDE4; i += WORKGROUP_SIZE) {
    let value = sum4(first + i);
    if (HAS_RESIDUAL) { sum[first + i] = value; }
    out[first + i] = value * factor * norm_weight[i];
  }
}
