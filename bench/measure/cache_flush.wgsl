// Reads and rewrites a buffer larger than the last-level cache, so that the next pass starts cold.
@group(0) @binding(0) var<storage, read_write> scratch: array<vec4f>;
@group(0) @binding(1) var<uniform> params: vec4u; // x: vec4s, y: vec4s an invocation

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = id.x / 64u * 64u * params.y + id.x % 64u;
  for (var i = 0u; i < params.y; i++) {
    let at = first + i * 64u;
    if (at < params.x) { scratch[at] = scratch[at] + vec4f(1.0); }
  }
}
