// Rotary position embedding, half-split as in Hugging Face's Llama: for i < D/2
//   out[i]       = x[i] cos - x[i + D/2] sin
//   out[i + D/2] = x[i + D/2] cos + x[i] sin
// with cos and sin from row `position` of the table. A variant says what an Element is.
override HEADS: u32;
override HALF: u32;     // D / 2
override X_STRIDE: u32; // floats a row of x, where heads stand side by side
override STRIDE: u32;   // floats a row of out
@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> angles: array<Element>; // [S, D]: D/2 cos, then D/2 sin
@group(0) @binding(3) var<storage, read_write> out: array<Element>;
