// The textbook formula, one invocation a vec4 of out: the largest score, then the weighted sum; every
// invocation computes the scores for itself, twice.
fn score(query: u32, key: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < HEAD4; i++) { sum += dot(q[query + i], key_cache[key + i]); }
  return sum * SCALE;
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEADS * HEAD4) { return; }
  let n = id.x / HEAD4;
  let query = id.y * Q_STRIDE4 + n * HEAD4;
  let start = cache_start(slots[id.y], n);
  let last = min(positions[id.y], CONTEXT - 1u);
  let first = first_seen(last);
  var most = -3.4e38;
  for (var s = first; s <= last; s++) { most = max(most, score(query, start + s * cache_stride())); }
  var total = 0.0;
  var sum = vec4f();
  for (var s = first; s <= last; s++) {
    let at = start + s * cache_stride();
    let p = exp(score(query, at) - most);
    total += p;
    sum += p * value_cache[at + id.x % HEAD4];
  }
  out[id.y * HEADS * HEAD4 + id.x] = sum / total;
}
