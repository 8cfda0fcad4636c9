// One move of a collective between logical ranks in one buffer: to[i] = sum of the sources' element i,
// added in their order, for i < count. Element i is read before it is written, by one invocation.
struct Move { to: u32, count: u32, sources: u32, at: array<u32, 16> } // words of `arena`
@group(0) @binding(0) var<storage, read> moves: array<Move>;
@group(0) @binding(1) var<storage, read_write> arena: array<f32>;
@group(0) @binding(2) var<uniform> params: vec4u; // x: which move
const EACH: u32 = 16u; // elements an invocation, 64 apart

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let which = params.x;
  let count = moves[which].count;
  let to = moves[which].to;
  let sources = moves[which].sources;
  let first = moves[which].at[0];
  for (var j = 0u; j < EACH; j++) {
    let i = (group.x * EACH + j) * 64u + local.x;
    if (i < count) {
      var total = arena[first + i];
      for (var k = 1u; k < sources; k++) { total += arena[moves[which].at[k] + i]; }
      arena[to + i] = total;
    }
  }
}
