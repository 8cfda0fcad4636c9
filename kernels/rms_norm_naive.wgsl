// One invocation a row, one scalar at a time, as in a program for a CPU.
fn sum1(i: u32) -> f32 {
  if (HAS_RESIDUAL) { return x[i / 4u][i % 4u] + residual[i / 4u][i % 4u]; }
  return x[i / 4u][i % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  let first = id.x * STRIDE4 * 4u;
  var squares = 0.0;
  for (var i = 0u; i < HIDDEN; i++) {
    let value = sum1(first + i);
    squares += value * value;
  }
  let factor = inverseSqrt(squares / f32(HIDDEN) + EPSILON);
  for (var i = 0u; i < HIDDEN; i++) {
    let value = sum1(first + i);
    if (HAS_RESIDUAL) { sum[(first + i) / 4u][i % 4u] = value; }
    out[(first + i) / 4u][i % 4u] = value * factor * norm_weight[i / 4u][i % 4u];
  }
}
