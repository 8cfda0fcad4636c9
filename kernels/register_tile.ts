/** The size of a register tile: what one invocation computes. */
export interface RegisterTile {
  /** Rows of the output an invocation. */
  readonly rows: number;
  /** vec4 columns an invocation, 8 vec4 apart so that neighbouring invocations read neighbouring columns. */
  readonly vectors: number;
}

/**
 * Writes the shader of a register tile: named accumulators and one plain loop over K, which is
 * what fits an instruction cache; an unrolled body cannot be sized by `override` constants.
 */
export function registerTile({ rows, vectors }: RegisterTile): string {
  const r = [...Array(rows).keys()];
  const v = [...Array(vectors).keys()];
  const lines = [
    `// Register tile: an invocation owns ${rows} rows x ${vectors} vec4 columns; loads per step: ${rows} + ${
      vectors * 4
    }.`,
    "override WORKGROUP_SIZE: u32 = 8u;",
    "@compute @workgroup_size(WORKGROUP_SIZE)",
    "fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {",
    `  let row = group.y * ${rows}u;`,
    `  let column = group.x * WORKGROUP_SIZE * ${vectors}u + local.x;`,
    "  let last_row = params.x - 1u;",
    ...v.map((j) => `  let column_${j} = min(column + ${j}u * WORKGROUP_SIZE, COLUMNS4 - 1u);`),
    ...r.map((i) => `  let x_${i} = min(row + ${i}u, last_row) * X_STRIDE;`),
    ...r.flatMap((i) => v.map((j) => `  var sum_${i}_${j} = vec4f();`)),
    "  for (var k = 0u; k < K; k++) {",
    "    let weights = k * COLUMNS4;",
    ...v.map((j) => `    let w_${j} = weight4(weights + column_${j});`),
    ...r.flatMap((i) => [
      `    let a_${i} = x[x_${i} + k];`,
      ...v.map((j) => `    sum_${i}_${j} += a_${i} * w_${j};`),
    ]),
    "  }",
    ...r.flatMap((i) =>
      v.map((j) => `  store4(row + ${i}u, column + ${j}u * WORKGROUP_SIZE, sum_${i}_${j});`)
    ),
    "}",
  ];
  return lines.join("\n") + "\n";
}
