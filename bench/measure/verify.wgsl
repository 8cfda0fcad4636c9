// counts[0] += words of `seen` that differ from `golden`; then `seen` is overwritten with `poison`,
// so that a run which writes nothing cannot pass on the output of the run before.
@group(0) @binding(0) var<storage, read_write> seen: array<u32>;
@group(0) @binding(1) var<storage, read> golden: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> params: vec4u; // x: words, y: poison, z: words an invocation

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var different = 0u;
  let first = id.x * params.z;
  for (var i = first; i < min(first + params.z, params.x); i++) {
    if (seen[i] != golden[i]) { different++; }
    seen[i] = params.y;
  }
  if (different > 0u) { atomicAdd(&counts[0], different); }
}
