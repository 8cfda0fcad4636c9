// A weight matrix stored as float16, two to a word, rows padded to four; unpacked to float32.
@group(0) @binding(0) var<storage, read> weight: array<vec2u>;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>; // unused: float16 has no scale

fn weight4(i: u32) -> vec4f {
  let words = weight[i];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
fn weight1(i: u32) -> f32 { return unpack2x16float(weight[i / 4u][(i / 2u) % 2u])[i % 2u]; }
fn scale4(column4: u32) -> vec4f { return vec4f(1.0); }
