// key_cache[slot, position, :] = key[t, :], and the same for values; one invocation a vec4.
override WIDTH4: u32;         // vec4s of K * D
override KEY_STRIDE4: u32;    // vec4s a row of key
override KEY_OFFSET4: u32;    // first vec4 of the keys in a row
override VALUE_STRIDE4: u32;
override VALUE_OFFSET4: u32;
override CONTEXT: u32;        // positions a slot
override SLOTS: u32;
@group(0) @binding(0) var<storage, read> key: array<vec4f>;
@group(0) @binding(1) var<storage, read> value: array<vec4f>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> key_cache: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> value_cache: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let slot = slots[id.y];
  let position = positions[id.y];
  if (id.x >= WIDTH4 || slot >= SLOTS || position >= CONTEXT) { return; }
  let to = (slot * CONTEXT + position) * WIDTH4 + id.x;
  key_cache[to] = key[id.y * KEY_STRIDE4 + KEY_OFFSET4 + id.x];
  value_cache[to] = value[id.y * VALUE_STRIDE4 + VALUE_OFFSET4 + id.x];
}
