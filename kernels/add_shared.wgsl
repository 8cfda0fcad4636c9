// out = a + b. A variant says what an Element is.
override WIDTH: u32;  // columns
override STRIDE: u32; // floats a row
@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Element>;
@group(0) @binding(2) var<storage, read_write> out: array<Element>;
