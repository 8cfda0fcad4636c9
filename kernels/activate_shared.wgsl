// activate(v): 0 nothing, 1 SiLU v / (1 + e^-v), 2 GELU with erf, 3 GELU by tanh, 4 ReLU.
override ACTIVATION: u32 = 0u;

// erf by Abramowitz and Stegun 7.1.26, |error| <= 1.5e-7.
fn erf4(v: vec4f) -> vec4f {
  let a = abs(v);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(v) * (1.0 - p * exp(-a * a));
}

fn activate(v: vec4f) -> vec4f {
  if (ACTIVATION == 1u) { return v / (1.0 + exp(-v)); }
  if (ACTIVATION == 2u) { return 0.5 * v * (1.0 + erf4(v * 0.70710678)); }
  if (ACTIVATION == 3u) {
    // The argument is clamped: tanh is 1 there, and a large one would overflow in some drivers.
    let u = clamp(0.79788456 * (v + 0.044715 * v * v * v), vec4f(-15.0), vec4f(15.0));
    return 0.5 * v * (1.0 + tanh(u));
  }
  if (ACTIVATION == 4u) { return max(v, vec4f(0.0)); }
  return v;
}
