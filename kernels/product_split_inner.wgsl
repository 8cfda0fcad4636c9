// For GPUs, few tokens: a workgroup owns 8 vec4 columns of one row and cuts K into 32 parts,
// so that a matrix-vector product has enough lanes; parts are summed in workgroup memory.
const PARTS: u32 = 32u;
var<workgroup> partial: array<vec4f, 256>; // [PARTS][8]

@compute @workgroup_size(8, 32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let column4 = group.x * 8u + lane.x;
  let row = group.y;
  let safe = min(column4, COLUMNS4 - 1u);
  var sum = vec4f();
  for (var k = lane.y; k < INNER; k += PARTS) {
    sum += x[row * X_STRIDE + k] * weight4(k * COLUMNS4 + safe);
  }
  partial[lane.y * 8u + lane.x] = sum;
  for (var half = PARTS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (lane.y < half) { partial[lane.y * 8u + lane.x] += partial[(lane.y + half) * 8u + lane.x]; }
  }
  if (lane.y == 0u) { store4(row, column4, partial[lane.x]); }
}
