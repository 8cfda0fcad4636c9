// out[T, N] = activate(x[T, K] * W[K, N] * scale[N] + bias[N]) + residual[T, N]
// What every variant of gemm and gemv shares: bindings and the epilogue of one vec4 of columns.
// W may be one block of a wider matrix: then out's rows are wider than W's.
override K: u32;         // K
override X_STRIDE: u32;      // floats a row of x, K rounded up to 4
override COLUMNS4: u32;      // vec4 columns of W
override OUT_STRIDE4: u32;   // vec4 columns of out
override OUT_OFFSET4: u32;   // first vec4 column of out that this block writes
override HAS_BIAS: bool;
override HAS_RESIDUAL: bool;

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<uniform> params: vec4u; // x: tokens T

fn finish4(row: u32, column4: u32, sum: vec4f) -> vec4f {
  let at = row * OUT_STRIDE4 + OUT_OFFSET4 + column4;
  var value = sum * scale4(column4);
  if (HAS_BIAS) { value += bias[OUT_OFFSET4 + column4]; }
  value = activate(value);
  if (HAS_RESIDUAL) { value += residual[at]; }
  return value;
}

fn store4(row: u32, column4: u32, sum: vec4f) {
  if (row < params.x && column4 < COLUMNS4) {
    out[row * OUT_STRIDE4 + OUT_OFFSET4 + column4] = finish4(row, column4, sum);
  }
}
