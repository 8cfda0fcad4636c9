// counts[0] += words of `seen` that differ from `golden`; then `seen` is overwritten with `poison`, or where
// KEEPS with `blank`, which is poison where a run writes: one that writes nothing cannot pass on the
// output of the run before.
override KEEPS: bool;
@group(0) @binding(0) var<storage, read_write> seen: array<u32>;
@group(0) @binding(1) var<storage, read> golden: array<u32>;
@group(0) @binding(2) var<storage, read> blank: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> params: vec4u; // x: words, y: poison, z: words an invocation

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var different = 0u;
  let first = id.x * params.z;
  for (var i = first; i < min(first + params.z, params.x); i++) {
    if (seen[i] != golden[i]) { different++; }
    if (KEEPS) { seen[i] = blank[i]; } else { seen[i] = params.y; }
  }
  if (different > 0u) { atomicAdd(&counts[0], different); }
}
