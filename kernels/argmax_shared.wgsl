// out[r] = the column of the largest x[r, c], c < COLUMNS; of equal ones the lowest. NOT_FINITE where one of
// them is infinite or no number: told by its bits, as compilers may take comparisons with NaN for granted.
override COLUMNS: u32; // columns that may win; the rest of a row is padding
override STRIDE: u32;  // floats a row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> params: vec4u; // x: rows

const NOT_FINITE = 0xffffffffu;

fn magnitude_bits(value: f32) -> u32 { return bitcast<u32>(value) & 0x7fffffffu; }
fn is_finite(most_bits: u32) -> bool { return most_bits < 0x7f800000u; }
