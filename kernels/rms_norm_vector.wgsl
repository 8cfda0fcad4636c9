// One invocation a row, a vec4 at a time.
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.x) { return; }
  let first = id.x * STRIDE4;
  var squares = vec4f(); // padding is zero and adds nothing
  for (var i = 0u; i < STRIDE4; i++) {
    let value = sum4(first + i);
    squares += value * value;
  }
  let factor = inverseSqrt(dot(squares, vec4f(1.0)) / f32(HIDDEN) + EPSILON);
  for (var i = 0u; i < STRIDE4; i++) {
    let value = sum4(first + i);
    if (HAS_RESIDUAL) { sum[first + i] = value; }
    out[first + i] = value * factor * norm_weight[i];
  }
}
