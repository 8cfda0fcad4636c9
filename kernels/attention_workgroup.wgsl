// For GPUs: a workgroup of 64 invocations a token and head. Of each chunk of 64 positions an invocation scores
// one; the chunk's largest and total meet in workgroup memory; then invocation i sums vec4 i of the values.
const WORKGROUP_SIZE: u32 = 64u; // at least HEAD4: heads of up to 256
var<workgroup> query: array<vec4f, 64>;
var<workgroup> weight: array<f32, 64>;
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n = group.x;
  let start = cache_start(slots[group.y], n);
  let count = min(positions[group.y], CONTEXT - 1u) + 1u;
  if (local.x < HEAD4) { query[local.x] = q[group.y * Q_STRIDE4 + n * HEAD4 + local.x] * SCALE; }
  workgroupBarrier(); // the query is there
  var most = -3.4e38;
  var total = 0.0;
  var sum = vec4f();
  for (var chunk = first_seen(count - 1u); chunk < count; chunk += WORKGROUP_SIZE) {
    let s = chunk + local.x;
    var score = -3.4e38;
    if (s < count) {
      var dots = vec4f();
      for (var i = 0u; i < HEAD4; i++) { dots += query[i] * key_cache[start + s * cache_stride() + i]; }
      score = dot(dots, vec4f(1.0));
    }
    partial[local.x] = score;
    for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
      workgroupBarrier(); // the round before has written what this one reads
      if (local.x < half) { partial[local.x] = max(partial[local.x], partial[local.x + half]); }
    }
    workgroupBarrier(); // the chunk's largest is there
    let higher = max(most, partial[0]);
    let p = select(0.0, exp(score - higher), s < count);
    weight[local.x] = p;
    workgroupBarrier(); // weights are written, and every invocation has read partial[0]
    let shrink = exp(most - higher);
    most = higher;
    total *= shrink;
    sum *= shrink;
    let size = min(WORKGROUP_SIZE, count - chunk);
    for (var j = 0u; j < size; j++) {
      total += weight[j];
      if (local.x < HEAD4) { sum += weight[j] * value_cache[start + (chunk + j) * cache_stride() + local.x]; }
    }
    workgroupBarrier(); // weights are used before the next chunk overwrites them
  }
  if (local.x < HEAD4) { out[(group.y * HEADS + n) * HEAD4 + local.x] = sum / total; }
}
