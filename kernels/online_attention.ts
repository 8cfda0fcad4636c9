/**
 * Writes the shader of online-softmax attention, one invocation a token and head: query and sum live in
 * named registers (`head4` vec4s each), keys and values are read once.
 */
export function onlineAttention(head4: number): string {
  const i = [...Array(head4).keys()];
  return [
    `// Online softmax: an invocation owns a token's head of ${head4} vec4s and walks the context once.`,
    "@compute @workgroup_size(8)",
    "fn main(@builtin(global_invocation_id) id: vec3u) {",
    "  if (id.x >= HEADS) { return; }",
    `  let query = id.y * Q_STRIDE4 + id.x * ${head4}u;`,
    "  let start = cache_start(slots[id.y], id.x);",
    "  let last = min(positions[id.y], CONTEXT - 1u);",
    ...i.map((j) => `  let q_${j} = q[query + ${j}u] * SCALE;`),
    ...i.map((j) => `  var sum_${j} = vec4f();`),
    "  var most = -3.4e38;",
    "  var total = 0.0;",
    "  for (var s = first_seen(last); s <= last; s++) {",
    "    let at = start + s * cache_stride();",
    "    var dots = vec4f();",
    ...i.map((j) => `    dots += q_${j} * key_cache[at + ${j}u];`),
    "    let score = dot(dots, vec4f(1.0));",
    "    let higher = max(most, score);",
    "    let shrink = exp(most - higher);",
    "    let p = exp(score - higher);",
    "    most = higher;",
    "    total = total * shrink + p;",
    ...i.map((j) => `    sum_${j} = sum_${j} * shrink + p * value_cache[at + ${j}u];`),
    "  }",
    `  let to = (id.y * HEADS + id.x) * ${head4}u;`,
    ...i.map((j) => `  out[to + ${j}u] = sum_${j} / total;`),
    "}",
  ].join("\n") + "\n";
}
