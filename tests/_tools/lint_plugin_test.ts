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

Deno.test("inside bench and records imports run one way, and suites do not know each other", () => {
  const problem = (from: string, specifier: string) =>
    importProblem(from.split("/"), specifier, false);
  assertMatch(problem("bench/measure/a.ts", "../suites/suite_run.ts")!, /may not import/);
  assertMatch(problem("bench/suites/kernels/a.ts", "../schedules/b.ts")!, /may not import/);
  assertMatch(problem("records/files/a.ts", "../rows/row.ts")!, /may not import/);
  assertEquals(problem("bench/suites/kernels/a.ts", "../suite_run.ts"), undefined);
  assertEquals(problem("records/run_folder/a.ts", "../rows/row.ts"), undefined);
});

Deno.test("report imports nothing that measures", () => {
  const problem = importProblem(["report", "a.ts"], "../bench/measure/timer.ts", true);
  assertMatch(problem!, /may not import bench/);
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
