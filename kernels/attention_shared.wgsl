// Causal grouped-query attention over the KV cache: with k = n / GROUP the kv head of query head n,
//   out[t, n, :] = sum_s p[s] value_cache[slots[t], s, k, :]   for positions[t] - WINDOW < s <= positions[t],
//   p = softmax_s( q[t, n, :] . key_cache[slots[t], s, k, :] * SCALE )
// Each query token carries its slot and position, so prefill chunks and decodes share a batch.
override HEADS: u32;     // query heads N
override GROUP: u32;     // query heads a kv head
override HEAD4: u32;     // vec4s a head
override CONTEXT: u32;   // positions a slot
override WINDOW: u32;    // positions that a token looks back, itself included; CONTEXT where unlimited
override Q_STRIDE4: u32; // vec4s a row of q
override SCALE: f32;

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> slots: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> key_cache: array<vec4f>;
@group(0) @binding(4) var<storage, read> value_cache: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<uniform> params: vec4u; // x: tokens T

// vec4s from one position of the cache to the next.
fn cache_stride() -> u32 { return HEADS / GROUP * HEAD4; }
// The first vec4 of kv head `n / GROUP` in a slot.
fn cache_start(slot: u32, n: u32) -> u32 { return slot * CONTEXT * cache_stride() + (n / GROUP) * HEAD4; }
// The first position that a token at `last` sees.
fn first_seen(last: u32) -> u32 { return max(last + 1u, WINDOW) - WINDOW; }
