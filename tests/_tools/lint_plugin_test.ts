import { assertEquals, assertMatch } from "@std/assert";
import plugin, { importProblem } from "../../_tools/lint_plugin.ts";

Deno.test("the import table lets bench import kernels and refuses the reverse", () => {
  assertEquals(importProblem(["bench", "run.ts"], "../kernels/gemm.ts", false), undefined);
  assertMatch(
    importProblem(["kernels", "gemm.ts"], "../bench/run.ts", false)!,
    /may not import bench/,
  );
});

Deno.test("kernels may import the device's types only", () => {
  assertEquals(importProblem(["kernels", "gemm.ts"], "../device/program.ts", true), undefined);
  assertMatch(importProblem(["kernels", "gemm.ts"], "../device/program.ts", false)!, /only types/);
});

Deno.test("a file that starts with an underscore is private to its folder", () => {
  assertEquals(importProblem(["bench", "a.ts"], "./_b.ts", false), undefined);
  assertMatch(importProblem(["cli", "a.ts"], "../bench/_b.ts", false)!, /private/);
});

Deno.test("nobody imports tests", () => {
  assertMatch(importProblem(["cli", "a.ts"], "../tests/b.ts", false)!, /nobody/);
});

Deno.test("the plugin reports imports, default exports and empty names", () => {
  const found = (file: string, text: string) =>
    Deno.lint.runPlugin(plugin, file, text).map((d) => d.message);
  assertEquals(found("device/a.ts", 'import { b } from "./b.ts";\nb();').length, 0);
  assertEquals(found("device/a.ts", 'import { b } from "../bench/b.ts";\nb();').length, 1);
  assertEquals(found("device/a.ts", "export default 1;").length, 1);
  assertEquals(found("device/utils.ts", "export const a = 1;").length, 1);
});
