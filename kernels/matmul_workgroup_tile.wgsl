// For GPUs with fast workgroup memory: 64 x 64 of out a workgroup, 16 deep; an invocation owns 4 x 4.
const TILE: u32 = 64u;
const DEPTH: u32 = 16u;
var<workgroup> x_tile: array<f32, 1024>;       // [DEPTH][TILE], transposed: an invocation reads 4 rows at once
var<workgroup> weight_tile: array<vec4f, 256>; // [DEPTH][TILE / 4]

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) index: u32) {
  let row0 = group.y * TILE;
  let column0 = group.x * (TILE / 4u);
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var k0 = 0u; k0 < K; k0 += DEPTH) {
    for (var i = 0u; i < 4u; i++) {
      let r = index / DEPTH + i * 16u;
      let k = index % DEPTH;
      let inside = row0 + r < params.x && k0 + k < K;
      x_tile[k * TILE + r] = select(0.0, x[min(row0 + r, params.x - 1u) * X_STRIDE + min(k0 + k, K - 1u)], inside);
    }
    let k = k0 + local.y;
    let column4 = column0 + local.x;
    let safe = min(k, K - 1u) * COLUMNS4 + min(column4, COLUMNS4 - 1u);
    weight_tile[local.y * 16u + local.x] = select(vec4f(), weight4(safe), k < K && column4 < COLUMNS4);
    workgroupBarrier(); // both tiles are written before any invocation reads them
    for (var d = 0u; d < DEPTH; d++) {
      let w = weight_tile[d * 16u + local.x];
      let at = d * TILE + local.y * 4u;
      sum0 += x_tile[at] * w;
      sum1 += x_tile[at + 1u] * w;
      sum2 += x_tile[at + 2u] * w;
      sum3 += x_tile[at + 3u] * w;
    }
    workgroupBarrier(); // all invocations have read before the next round overwrites
  }
  let row = row0 + local.y * 4u;
  store4(row, column0 + local.x, sum0);
  store4(row + 1u, column0 + local.x, sum1);
  store4(row + 2u, column0 + local.x, sum2);
  store4(row + 3u, column0 + local.x, sum3);
}
