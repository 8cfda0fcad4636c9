// One invocation a pair.
alias Element = f32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEADS * HALF) { return; }
  let i = id.x % HALF;
  let at = (id.x / HALF) * HALF * 2u + i;
  let angle = positions[id.y] * HALF * 2u + i;
  let c = angles[angle];
  let s = angles[angle + HALF];
  let low = x[id.y * X_STRIDE + at];
  let high = x[id.y * X_STRIDE + at + HALF];
  out[id.y * STRIDE + at] = low * c - high * s;
  out[id.y * STRIDE + at + HALF] = high * c + low * s;
}
