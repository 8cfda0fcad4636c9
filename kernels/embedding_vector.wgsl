// out[t, h] = table[ids[t] - VOCAB_START, h], exactly 0 where the id is in another shard.
// One invocation a vec4.
override ROWS: u32;        // rows of this shard
override VOCAB_START: u32; // first id of this shard
override COLUMNS4: u32;    // vec4 columns of this table block
override OUT_STRIDE4: u32;
override OUT_OFFSET4: u32;

@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: vec4u; // x: tokens T

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COLUMNS4) { return; }
  let row = ids[id.y] - VOCAB_START; // an id below the shard wraps round to a large row
  var value = vec4f();
  if (row < ROWS) { value = weight4(row * COLUMNS4 + id.x) * scale4(id.x); }
  out[id.y * OUT_STRIDE4 + OUT_OFFSET4 + id.x] = value;
}
