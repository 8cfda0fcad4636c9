// out[r] = the column of the largest x[r, c], c < COLUMNS; of equal ones the lowest.
override COLUMNS: u32; // columns that may win; the rest of a row is padding
override STRIDE: u32;  // floats a row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: vec4u; // x: rows
