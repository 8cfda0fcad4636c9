import { assertEquals } from "@std/assert";
import { onlineAttention } from "../../kernels/online_attention.ts";
import { registerTile } from "../../kernels/register_tile.ts";

Deno.test("the register tile generator writes this shader", () => {
  assertEquals(
    registerTile({ rows: 2, vectors: 1 }),
    `// Register tile: a lane owns 2 rows x 1 vec4 columns; loads per step: 2 + 4.
override LANES: u32 = 8u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let row = group.y * 2u;
  let column = group.x * LANES * 1u + lane.x;
  let last_row = params.x - 1u;
  let column_0 = min(column + 0u * LANES, COLUMNS4 - 1u);
  let x_0 = min(row + 0u, last_row) * X_STRIDE;
  let x_1 = min(row + 1u, last_row) * X_STRIDE;
  var sum_0_0 = vec4f();
  var sum_1_0 = vec4f();
  for (var k = 0u; k < INNER; k++) {
    let weights = k * COLUMNS4;
    let w_0 = weight4(weights + column_0);
    let a_0 = x[x_0 + k];
    sum_0_0 += a_0 * w_0;
    let a_1 = x[x_1 + k];
    sum_1_0 += a_1 * w_0;
  }
  store4(row + 0u, column + 0u * LANES, sum_0_0);
  store4(row + 1u, column + 0u * LANES, sum_1_0);
}
`,
  );
});

Deno.test("the online attention generator names one register a vec4 of the head", () => {
  const wgsl = onlineAttention(3);
  for (const name of ["q_0", "q_2", "sum_0", "sum_2"]) assertEquals(wgsl.includes(name), true);
  assertEquals(wgsl.includes("q_3"), false);
});
