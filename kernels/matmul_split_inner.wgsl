// For GPUs, few tokens: a workgroup owns 8 vec4 columns of one row and cuts K into 32 parts,
// so that a matrix-vector product has enough invocations; parts are summed in workgroup memory.
const PARTS: u32 = 32u;
var<workgroup> partial: array<vec4f, 256>; // [PARTS][8]

@compute @workgroup_size(8, 32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column4 = group.x * 8u + local.x;
  let row = group.y;
  let safe = min(column4, COLUMNS4 - 1u);
  var sum = vec4f();
  for (var k = local.y; k < K; k += PARTS) {
    sum += x[row * X_STRIDE + k] * weight4(k * COLUMNS4 + safe);
  }
  partial[local.y * 8u + local.x] = sum;
  for (var half = PARTS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // the round before has written what this one reads
    if (local.y < half) { partial[local.y * 8u + local.x] += partial[(local.y + half) * 8u + local.x]; }
  }
  if (local.y == 0u) { store4(row, column4, partial[local.x]); }
}
