// A weight matrix stored as int8, four to a word, with one float32 scale a column:
// W[k, n] = quantised[k, n] * scale[n]. Kernels sum these and multiply once, at the end.
@group(0) @binding(0) var<storage, read> weight: array<u32>;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>;

fn weight4(i: u32) -> vec4f { return vec4f(unpack4xI8(weight[i])); }
fn weight1(i: u32) -> f32 { return f32(extractBits(bitcast<i32>(weight[i / 4u]), (i % 4u) * 8u, 8u)); }
fn scale4(column4: u32) -> vec4f { return scale[column4]; }
