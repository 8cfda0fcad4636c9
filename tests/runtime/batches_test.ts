import { assertEquals, assertThrows } from "@std/assert";
import { stepTimes } from "../../runtime/replica_trace.ts";
import { checkBatch, tokenBatch } from "../../runtime/token_batch.ts";
import { tunedVariant, tuneStage } from "../../runtime/tuned_variants.ts";
import { stageProgram } from "../../model/stage_program.ts";
import { tinyModel, tinyStage } from "./tiny.ts";

const part = (slot: number, start: number, tokenIds: readonly number[], isSampled: boolean) => ({
  requestId: 10 + slot,
  slot,
  start,
  tokenIds,
  isSampled,
});

Deno.test("a batch has the tokens of its requests one after another, with places and last rows", () => {
  const scheduled = [part(2, 7, [5], true), part(0, 0, [6, 7, 8], false), part(1, 3, [9, 4], true)];
  assertEquals(tokenBatch({ scheduled }), {
    tokenIds: [5, 6, 7, 8, 9, 4],
    positions: [7, 0, 1, 2, 3, 4],
    slots: [2, 0, 0, 0, 1, 1],
    logitsIndices: [0, 5],
  });
});

Deno.test("a batch fits a stage up to its limits; one more of anything is refused by name", () => {
  const stage = tinyStage(tinyModel()); // 24 tokens, 3 sequences of 32 positions, 101 token ids
  const fill = (tokens: number, tokenId = 1) => ({
    tokenIds: new Array<number>(tokens).fill(tokenId),
    positions: new Array<number>(tokens).fill(31),
    slots: new Array<number>(tokens).fill(2),
    logitsIndices: [tokens - 1],
  });
  checkBatch(stage, fill(24, 100), undefined);
  checkBatch(stage, { ...fill(4), logitsIndices: [0, 2, 3] }, undefined);
  checkBatch(stage, { ...fill(4), logitsIndices: [] }, undefined);
  const refused = [
    [fill(0), "Cannot run 0 tokens: legal are 1 to 24"],
    [fill(25), "Cannot run 25 tokens"],
    [fill(3, 101), "token id 101: legal are 0 to 100"],
    [fill(3, -1), "token id -1"],
    [fill(3, 0.5), "token id 0.5"],
    [{ ...fill(2), positions: [0, 32] }, "position 32: legal are 0 to 31"],
    [{ ...fill(2), slots: [3, 0] }, "slot 3: legal are 0 to 2"],
    [{ ...fill(2), positions: [0] }, "differ in number"],
    [{ ...fill(2), slots: [0] }, "differ in number"],
    [{ ...fill(2), logitsIndices: [2] }, "sample 2: legal are 0 to 1"],
    [{ ...fill(4), logitsIndices: [0, 1, 2, 3] }, "at most 3, ascending"],
    [{ ...fill(4), logitsIndices: [1, 1] }, "ascending"],
    [{ ...fill(4), logitsIndices: [2, 1] }, "ascending"],
  ] as const;
  for (const [batch, words] of refused) {
    assertThrows(() => checkBatch(stage, batch, undefined), RangeError, words);
  }
  const later = tinyStage(tinyModel(), { firstLayer: 1 });
  checkBatch(later, fill(1), new Float32Array(128));
  assertThrows(
    () => checkBatch(later, fill(1), undefined),
    RangeError,
    "every stage but the first",
  );
  const input = new Float32Array(128);
  assertThrows(() => checkBatch(stage, fill(1), input), RangeError, "every stage but the first");
});

Deno.test("a step takes what the slowest rank of each stage does, one stage after another", () => {
  const span = (gpuUs?: number, kind: "compute" | "all_reduce" = "compute") => ({
    kind,
    start: 0,
    end: 1,
    ...(gpuUs === undefined ? {} : { gpuUs }),
  });
  const rank = (stage: number, tpRank: number, spans: readonly ReturnType<typeof span>[]) => ({
    globalRank: 2 * stage + tpRank,
    stage,
    tpRank,
    steps: [{
      step: 5,
      tokens: 1,
      start: 0,
      end: 1,
      spans,
      submitUs: 1 + tpRank,
      waitUs: 10 * (1 + stage),
    }],
  });
  const ranks = [
    rank(0, 0, [span(3), span(100, "all_reduce"), span(4)]),
    rank(0, 1, [span(2), span(6)]),
    rank(1, 0, [span(20)]),
    rank(1, 1, [span(19)]),
  ];
  const results = [{ step: 5, start: 2, end: 2.5 }];
  assertEquals([...stepTimes({ stages: 2, ranks }, results)], [
    { hostUs: 500, gpuUs: 28, submitUs: 4, waitUs: 30 },
  ]);
  const blind = [...ranks.slice(0, 3), rank(1, 1, [span(1), span()])];
  assertEquals(stepTimes({ stages: 2, ranks: blind }, results)[0]!.gpuUs, undefined);
});

Deno.test("every size of batch that a stage can be asked for finds the variant that was chosen", async () => {
  const stage = tinyStage(tinyModel(), { maxNumBatchedTokens: 11, maxNumSeqs: 5 });
  const asked = new Set<string>();
  const choices = await tuneStage(stage, (operation) => {
    assertEquals(asked.has(operation.shapeClass), false, "each class once");
    asked.add(operation.shapeClass);
    return operation.variants[0]!;
  });
  const find = tunedVariant(choices);
  for (let tokens = 1; tokens <= 11; tokens++) {
    for (let logitsRows = 1; logitsRows <= Math.min(tokens, 5); logitsRows++) {
      for (const op of stageProgram(stage, { tokens, logitsRows }).ops) {
        if (op.kind === "kernel") assertEquals((await find(op.operation)).name, "naive");
      }
    }
  }
  const [op] = stageProgram(stage, { tokens: 1, logitsRows: 1 }).ops;
  if (op?.kind !== "kernel") throw new Error("the first operation is a kernel");
  const { operation } = op;
  assertThrows(() => tunedVariant({})(operation), Error, "no variant was chosen");
  const choose = tunedVariant({ [operation.shapeClass]: "vector" });
  const refusing = operation.variants.map((variant) => ({ ...variant, unsupported: "too odd" }));
  assertThrows(() => choose({ ...operation, variants: refusing }), Error, "does not support it");
});
