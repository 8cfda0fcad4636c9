// Four pairs an invocation; D must be a multiple of 8.
alias Element = vec4f;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let half4 = HALF / 4u;
  if (id.x >= HEADS * half4) { return; }
  let i = id.x % half4;
  let at = (id.x / half4) * half4 * 2u + i;
  let angle = positions[id.y] * half4 * 2u + i;
  let c = angles[angle];
  let s = angles[angle + half4];
  let low = x[id.y * (X_STRIDE / 4u) + at];
  let high = x[id.y * (X_STRIDE / 4u) + at + half4];
  out[id.y * (STRIDE / 4u) + at] = low * c - high * s;
  out[id.y * (STRIDE / 4u) + at + half4] = high * c + low * s;
}
