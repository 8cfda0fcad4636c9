// out[t, f] = activate(x[t, f]), or activate(x[t, f]) * x[t, F + f] where GATED (gate first, then
// up). A variant says what an Element is.
override WIDTH: u32;    // F
override X_STRIDE: u32; // floats a row of x
override STRIDE: u32;   // floats a row of out
override GATED: bool;
@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> out: array<Element>;
