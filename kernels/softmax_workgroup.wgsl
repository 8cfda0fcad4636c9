// WORKGROUP_SIZE invocations a row: each takes a stripe of vec4s, the stripes meet in workgroup memory.
override WORKGROUP_SIZE: u32;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.x * STRIDE4;
  var most4 = vec4f(-3.4e38);
  for (var i = local.x; i < STRIDE4; i += WORKGROUP_SIZE) { most4 = max(most4, x4(first, i)); }
  partial[local.x] = largest(most4);
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (local.x < half) { partial[local.x] = max(partial[local.x], partial[local.x + half]); }
  }
  workgroupBarrier(); // the largest is there
  let most = partial[0];
  workgroupBarrier(); // every invocation has it before its place is used again
  var total = vec4f();
  for (var i = local.x; i < STRIDE4; i += WORKGROUP_SIZE) { total += exp(x4(first, i) - most); }
  partial[local.x] = dot(total, vec4f(1.0));
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (local.x < half) { partial[local.x] += partial[local.x + half]; }
  }
  workgroupBarrier(); // the total is there
  let factor = 1.0 / partial[0];
  for (var i = local.x; i < STRIDE4; i += WORKGROUP_SIZE) { out[first + i] = exp(x4(first, i) - most) * factor; }
}
