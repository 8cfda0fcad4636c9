// A weight matrix in float32, rows padded to whole vec4.
@group(0) @binding(0) var<storage, read> weight: array<vec4f>;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>; // unused: float32 has no scale

fn weight4(i: u32) -> vec4f { return weight[i]; }
fn weight1(i: u32) -> f32 { return weight[i / 4u][i % 4u]; }
fn scale4(column4: u32) -> vec4f { return vec4f(1.0); }
