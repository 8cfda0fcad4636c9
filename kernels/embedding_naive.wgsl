// One invocation an element.
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.y >= params.x || id.x >= COLUMNS4 * 4u) { return; }
  let row = ids[id.y] - VOCAB_START; // an id below the shard wraps round to a large row
  var value = 0.0;
  if (row < ROWS) { value = weight1(row * COLUMNS4 * 4u + id.x) * scale4(id.x / 4u)[id.x % 4u]; }
  out[id.y * OUT_STRIDE4 + OUT_OFFSET4 + id.x / 4u][id.x % 4u] = value;
}
