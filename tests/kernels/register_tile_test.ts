import { assertEquals } from "@std/assert";
import { onlineAttention } from "../../kernels/online_attention.ts";
import { registerTile } from "../../kernels/register_tile.ts";

Deno.test("the register tile generator writes this shader", () => {
  assertEquals(
    registerTile({ rows: 2, vectors: 1 }),
    `// Register tile: an invocation owns 2 rows x 1 vec4 columns; loads per step: 2 + 4.
override WORKGROUP_SIZE: u32 = 8u;
@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.y * 2u;
  let column = group.x * WORKGROUP_SIZE * 1u + local.x;
  let last_row = params.x - 1u;
  let column_0 = min(column + 0u * WORKGROUP_SIZE, COLUMNS4 - 1u);
  let x_0 = min(row + 0u, last_row) * X_STRIDE;
  let x_1 = min(row + 1u, last_row) * X_STRIDE;
  var sum_0_0 = vec4f();
  var sum_1_0 = vec4f();
  for (var k = 0u; k < K; k++) {
    let weights = k * COLUMNS4;
    let w_0 = weight4(weights + column_0);
    let a_0 = x[x_0 + k];
    sum_0_0 += a_0 * w_0;
    let a_1 = x[x_1 + k];
    sum_1_0 += a_1 * w_0;
  }
  store4(row + 0u, column + 0u * WORKGROUP_SIZE, sum_0_0);
  store4(row + 1u, column + 0u * WORKGROUP_SIZE, sum_1_0);
}
`,
  );
});

Deno.test("the online attention generator names one register a vec4 of the head", () => {
  const wgsl = onlineAttention(3);
  for (const name of ["q_0", "q_2", "sum_0", "sum_2"]) assertEquals(wgsl.includes(name), true);
  assertEquals(wgsl.includes("q_3"), false);
});
