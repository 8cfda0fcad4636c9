// out[r, c] = e^(x[r, c] - m) / sum_c e^(x[r, c] - m), m the largest of the row; COLUMNS wide.
override COLUMNS: u32;
override STRIDE4: u32; // vec4s a row

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: vec4u; // x: rows

// The vec4 at column c4 of a row, with padding that can neither be the largest nor add anything.
fn x4(first: u32, c4: u32) -> vec4f {
  let column = c4 * 4u + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(-3.4e38), x[first + c4], column < vec4u(COLUMNS));
}
fn largest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
