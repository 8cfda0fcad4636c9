// The two ceilings of an adapter: copying memory, and multiply-adds that touch none.
override WORKGROUP_SIZE: u32 = 8u;
@group(0) @binding(0) var<storage, read> from_: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> to: array<vec4f>;
@group(0) @binding(2) var<uniform> params: vec4u; // x: vec4s, y: multiply-add rounds, z: vec4s an invocation

fn multiply_adds(id: vec3u) {
  let a = vec4f(0.999 + f32(id.x % 2u) * 1e-6);
  var v0 = vec4f(1.0); var v1 = vec4f(1.1); var v2 = vec4f(1.2); var v3 = vec4f(1.3);
  for (var i = 0u; i < params.y; i++) {
    v0 = v0 * a + a; v1 = v1 * a + a; v2 = v2 * a + a; v3 = v3 * a + a;
    v0 = v0 * a + a; v1 = v1 * a + a; v2 = v2 * a + a; v3 = v3 * a + a;
  }
  to[id.x] = v0 + v1 + v2 + v3; // used, so that no compiler drops the work
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (params.y > 0u) { multiply_adds(id); return; }
  // Invocations of a workgroup copy neighbouring vec4s, each workgroup a range of its own.
  let first = (id.x / WORKGROUP_SIZE) * WORKGROUP_SIZE * params.z + id.x % WORKGROUP_SIZE;
  for (var i = 0u; i < params.z; i++) {
    let at = first + i * WORKGROUP_SIZE;
    if (at < params.x) { to[at] = from_[at]; }
  }
}
