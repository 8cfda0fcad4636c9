import { assertEquals, assertThrows } from "@std/assert";
import {
  coordinateOf,
  groupsOf,
  type Layout,
  rankAt,
  splitLayers,
  worldSize,
} from "../../parallel/layout.ts";

const CUBE: Layout = {
  tensorParallelSize: 2,
  pipelineParallelSize: 2,
  dataParallelSize: 2,
  order: "vllm",
};

Deno.test("in vLLM's order tensor parallel ranks are neighbours, then stages, then replicas", () => {
  const groups = Array.from({ length: 8 }, (_, rank) => groupsOf(CUBE, rank));
  const distinct = (
    key: "tensorParallel" | "pipelineParallel" | "dataParallel",
  ) => [...new Set(groups.map((g) => g[key].join()))];
  assertEquals(distinct("tensorParallel"), ["0,1", "2,3", "4,5", "6,7"]);
  assertEquals(distinct("pipelineParallel"), ["0,2", "1,3", "4,6", "5,7"]);
  assertEquals(distinct("dataParallel"), ["0,4", "1,5", "2,6", "3,7"]);
  assertEquals(coordinateOf(CUBE, 7), {
    dataParallelRank: 1,
    pipelineParallelRank: 1,
    tensorParallelRank: 1,
  });
});

Deno.test("in Megatron's order replicas come before stages", () => {
  const megatron = { ...CUBE, order: "megatron" } as const;
  assertEquals(groupsOf(megatron, 0), {
    tensorParallel: [0, 1],
    pipelineParallel: [0, 4],
    dataParallel: [0, 2],
  });
});

Deno.test("every rank has one place and every place one rank", () => {
  for (const order of ["vllm", "megatron"] as const) {
    const layout = { tensorParallelSize: 3, pipelineParallelSize: 2, dataParallelSize: 5, order };
    for (let rank = 0; rank < worldSize(layout); rank++) {
      assertEquals(rankAt(layout, coordinateOf(layout, rank)), rank);
    }
  }
  assertThrows(() => coordinateOf(CUBE, 8), RangeError, "0 to 7");
  assertThrows(
    () => rankAt(CUBE, { dataParallelRank: 0, pipelineParallelRank: 2, tensorParallelRank: 0 }),
    RangeError,
    "pp",
  );
});

Deno.test("extra layers go to the stages before the last, from its neighbour backwards", () => {
  const counts = (layers: number, stages: number) =>
    splitLayers(layers, stages).map(({ start, end }) => end - start);
  assertEquals(counts(5, 3), [2, 2, 1]);
  assertEquals(counts(22, 4), [5, 6, 6, 5]);
  assertEquals(counts(32, 5), [6, 6, 7, 7, 6]);
  assertEquals(counts(32, 2), [16, 16]);
  assertEquals(counts(7, 7), new Array(7).fill(1));
  assertEquals(splitLayers(5, 2, [1, 4]), [{ start: 0, end: 1 }, { start: 1, end: 5 }]);
  for (const wrong of [[5], [2, 2], [0, 5], [2.5, 2.5], [1, 2, 2]]) {
    assertThrows(() => splitLayers(5, 2, wrong), RangeError, "sum to 5");
  }
  for (const stages of [3, 0, -1, 1.5]) {
    assertThrows(() => splitLayers(2, stages), RangeError, "1 to 2");
  }
});
