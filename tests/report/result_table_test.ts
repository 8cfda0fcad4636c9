import { assertEquals } from "@std/assert";
import type { KernelRow } from "../../records/rows/row.ts";
import { drawTable, resultTables } from "../../report/result_table.ts";

const ROW = { op: "gemm", dtype: "float32", mode: "hot", tensor_parallel_size: 1 } as KernelRow;

Deno.test("tables say why a row has no result and what makes one less good, where there is room", () => {
  const kernels: readonly KernelRow[] = [
    { ...ROW, variant: "a", status: "ok", time_us_median: 12.34, warning: "noise 26 %" },
    { ...ROW, variant: "b", status: "wrong", reason: "3 wrong elements" },
    { ...ROW, variant: "c", status: "ok", time_us_median: 23.45 },
  ];
  const rows = { kernels, collectives: [], schedules: [] };
  const [table] = resultTables(rows);
  const column = (title: string) => table!.body.map((line) => line[table!.header.indexOf(title)]);
  assertEquals(column("us"), ["* 12.3", "", "23.4"]);
  assertEquals(column("note"), ["noise 26 %", "3 wrong elements", ""]);
  const hasNote = (width: number) => drawTable("kernels", rows, width).includes("noise 26 %");
  assertEquals([Infinity, 80].map(hasNote), [true, false]);
});
