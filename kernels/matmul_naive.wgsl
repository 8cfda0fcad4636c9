// The textbook matmul: one invocation an element, one scalar of each matrix a step.
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let row = id.y;
  if (row >= params.x || column >= COLUMNS4 * 4u) { return; }
  var sum = 0.0;
  for (var k = 0u; k < K; k++) {
    sum += x[row * X_STRIDE + k] * weight1(k * COLUMNS4 * 4u + column);
  }
  let column4 = column / 4u;
  let at = row * OUT_STRIDE4 + OUT_OFFSET4 + column4;
  out[at][column % 4u] = finish4(row, column4, vec4f(sum))[column % 4u];
}
