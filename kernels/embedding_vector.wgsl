// One invocation a vec4.
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COLUMNS4) { return; }
  let row = ids[id.y] - VOCAB_START; // an id below the shard wraps round to a large row
  var value = vec4f();
  if (row < ROWS) { value = weight4(row * COLUMNS4 + id.x) * scale4(id.x); }
  out[id.y * OUT_STRIDE4 + OUT_OFFSET4 + id.x] = value;
}
