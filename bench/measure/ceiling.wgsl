// The ceilings of an adapter: copying memory, reading and copying what stays in the nearest cache, and
// multiply-adds that touch no memory.
override WORKGROUP_SIZE: u32;
@group(0) @binding(0) var<storage, read> from_: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> to: array<vec4f>;
override READS: bool; // whether cached passes only read
@group(0) @binding(2) var<uniform> params: vec4u; // x: vec4s, y: multiply-add rounds, z: vec4s an invocation, w: passes

fn multiply_adds(id: vec3u) {
  let a = vec4f(0.999 + f32(id.x % 2u) * 1e-6);
  var v0 = vec4f(1.0); var v1 = vec4f(1.1); var v2 = vec4f(1.2); var v3 = vec4f(1.3);
  for (var i = 0u; i < params.y; i++) {
    v0 = v0 * a + a; v1 = v1 * a + a; v2 = v2 * a + a; v3 = v3 * a + a;
    v0 = v0 * a + a; v1 = v1 * a + a; v2 = v2 * a + a; v3 = v3 * a + a;
  }
  to[id.x] = v0 + v1 + v2 + v3; // used, so that no compiler drops the work
}

// A workgroup reads or copies its own few KiB again and again, z a power of two; each pass starts one vec4
// further on, so that none repeats the one before.
fn cached_passes(id: vec3u) {
  let first = (id.x / WORKGROUP_SIZE) * WORKGROUP_SIZE * params.z + id.x % WORKGROUP_SIZE;
  let mask = params.z - 1u;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var round = 0u; round < params.w; round++) {
    for (var i = round; i < round + params.z; i += 4u) {
      let at0 = first + (i & mask) * WORKGROUP_SIZE;
      let at1 = first + ((i + 1u) & mask) * WORKGROUP_SIZE;
      let at2 = first + ((i + 2u) & mask) * WORKGROUP_SIZE;
      let at3 = first + ((i + 3u) & mask) * WORKGROUP_SIZE;
      if (READS) {
        sum0 += from_[at0]; sum1 += from_[at1]; sum2 += from_[at2]; sum3 += from_[at3];
      } else {
        to[at0] = from_[at0]; to[at1] = from_[at1]; to[at2] = from_[at2]; to[at3] = from_[at3];
      }
    }
  }
  if (READS) { to[first] = sum0 + sum1 + sum2 + sum3; } // used, as above
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (params.y > 0u) { multiply_adds(id); return; }
  if (params.w > 0u) { cached_passes(id); return; }
  // Invocations of a workgroup copy neighbouring vec4s, each workgroup a range of its own.
  let first = (id.x / WORKGROUP_SIZE) * WORKGROUP_SIZE * params.z + id.x % WORKGROUP_SIZE;
  for (var i = 0u; i < params.z; i++) {
    let at = first + i * WORKGROUP_SIZE;
    if (at < params.x) { to[at] = from_[at]; }
  }
}
