import { assertAlmostEquals, assertEquals } from "@std/assert";
import { bufferBytes } from "../../kernels/kernel.ts";
import {
  type BatchSize,
  type Stage,
  stageCosts,
  stageEnds,
  type StageOp,
  stageProgram,
} from "../../model/stage_program.ts";
import { maxLogitsRows, stageBuffers } from "../../model/stage_memory.ts";
import { tinyModel, tinyStage } from "../runtime/tiny.ts";

/** An operation in a line: its kernel, the joint names of its tensors, its rows, its layer. */
function line(op: StageOp): string {
  const rest = `${op.rows} ${op.layer ?? "-"}`;
  if (op.kind === "collective") return `${op.op} ${op.tensor} ${rest}`;
  const { kernel, names } = op.operation;
  for (const [own, joint] of Object.entries(names)) {
    const role = op.roles[own] === "unused" ? "none" : op.roles[own]!;
    assertEquals(joint.split(/[._]/)[0], role.split("_")[0], joint);
  }
  const used = Object.values(names).filter((joint) => !joint.startsWith("none"));
  return `${kernel}: ${used.join(" ")} ${rest}`;
}

function lines(changes: Partial<Stage>, size: BatchSize): readonly string[] {
  return stageProgram(tinyStage(tinyModel(), changes), size).ops.map(line);
}

/** A layer of the decoder: what it starts from, where its sums go, and what a group does between. */
function layer(i: number, [first, second]: readonly [string, string], group: readonly string[]) {
  const w = `weights.layers.${i}`;
  const cache = `kv_cache.layers.${i}.key kv_cache.layers.${i}.value`;
  return [
    `rms_norm: ${first.replace("W", `${w}.input_norm`)} tokens ${i}`,
    `gemv: ${w}.qkv_weight state.normed state.qkv tokens ${i}`,
    `rope: state.qkv input.positions constant.angles state.rotated tokens ${i}`,
    `kv_append: state.rotated state.qkv input.slots input.positions ${cache} tokens ${i}`,
    `attention: state.rotated input.slots input.positions ${cache} state.mixed tokens ${i}`,
    `gemv: ${w}.o_weight state.mixed state.delta tokens ${i}`,
    ...group.map((one) => `${one} ${i}`),
    `rms_norm: ${second.replace("W", `${w}.post_attention_norm`)} tokens ${i}`,
    `gemv: ${w}.gate_up_weight state.normed state.gate_up tokens ${i}`,
    `activation: state.gate_up state.activated tokens ${i}`,
    `gemv: ${w}.down_weight state.activated state.delta tokens ${i}`,
    ...group.map((one) => `${one} ${i}`),
  ];
}

const EMBED = "embedding: weights.embedding input.ids state.embedded tokens -";
const FROM_EMBEDDING = [
  "state.embedded W state.normed",
  "state.delta state.embedded W state.normed state.residual_a",
] as const;
const FROM_A = [
  "state.delta state.residual_a W state.normed state.residual_b",
  "state.delta state.residual_b W state.normed state.residual_a",
] as const;
const LAST_NORM =
  "rms_norm: state.delta state.residual_a weights.norm state.normed state.residual_b tokens -";
const HEAD = [
  "embedding: state.normed input.logits_indices state.sampled logitsRows -",
  "gemv: weights.head_weight state.sampled output.logits logitsRows -",
];
const ARGMAX = "argmax: output.logits output.token_ids logitsRows -";

Deno.test("a whole decoder's forward pass, operation by operation", () => {
  const body = [EMBED, ...layer(0, FROM_EMBEDDING, []), ...layer(1, FROM_A, []), LAST_NORM];
  assertEquals(lines({}, { tokens: 3, logitsRows: 2 }), [...body, ...HEAD, ARGMAX]);
  // Where all tokens are sampled none is picked.
  const all = "gemv: weights.head_weight state.normed output.logits logitsRows -";
  assertEquals(lines({}, { tokens: 3, logitsRows: 3 }), [...body, all, ARGMAX]);
});

Deno.test("ranks that share layers reduce what blocks leave, and gather logits", () => {
  const group = ["all_reduce state.delta tokens"];
  const found = lines({ tensorParallelSize: 2 }, { tokens: 3, logitsRows: 2 });
  assertEquals(found, [
    EMBED,
    "all_reduce state.embedded tokens -",
    ...layer(0, FROM_EMBEDDING, group),
    ...layer(1, FROM_A, group),
    LAST_NORM,
    ...HEAD,
    "all_gather output.logits logitsRows -",
  ]);
});

Deno.test("stages start from what the one before leaves; the first embeds, the last has the head", () => {
  const size = { tokens: 3, logitsRows: 2 };
  assertEquals(lines({ endLayer: 1 }, size), [EMBED, ...layer(0, FROM_EMBEDDING, [])]);
  const last = [...layer(1, FROM_A, []), LAST_NORM, ...HEAD, ARGMAX];
  assertEquals(lines({ firstLayer: 1 }, size), last);
  const model = tinyModel();
  const ends = [[0, 2], [0, 1], [1, 2], [1, 1]].map(([firstLayer, endLayer]) =>
    Object.values(stageEnds({ model, firstLayer: firstLayer!, endLayer: endLayer! }))
  );
  assertEquals(ends, [[true, true], [true, false], [false, true], [false, false]]);
});

Deno.test("the head's operations work on the sampled rows, with the padding left out of the choice", () => {
  const { ops } = stageProgram(tinyStage(tinyModel()), { tokens: 5, logitsRows: 2 });
  const of = (kernel: string, rows: string) => {
    const found = ops.findLast((op) => op.kind === "kernel" && op.operation.kernel === kernel);
    assertEquals(found!.rows, rows, kernel);
    return found!.kind === "kernel" ? found!.operation : undefined!;
  };
  const size = (kernel: string, tensor: string, rows = "logitsRows") => {
    const { rows: height, columns } = of(kernel, rows).tensors[tensor]!;
    return [height, columns];
  };
  // 101 words are padded to 128; rows are picked of the largest batch, of 24 tokens.
  assertEquals(size("embedding", "weight"), [24, 64]);
  assertEquals(size("embedding", "out"), [2, 64]);
  assertEquals([size("gemv", "x"), size("gemv", "out")], [[2, 64], [2, 128]]);
  assertEquals(size("argmax", "x"), [2, 128]);
  assertEquals(of("argmax", "logitsRows").cost.flops, 2 * 101);
  assertEquals(size("rms_norm", "x", "tokens"), [5, 64]);
});

Deno.test("a batch costs its operations that have rows", () => {
  const stage = tinyStage(tinyModel());
  const program = (logitsRows: number) => stageProgram(stage, { tokens: 3, logitsRows });
  assertEquals(stageCosts(program(2)).length, 1 + 2 * 10 + 1 + 3);
  assertEquals(stageCosts(program(0)).length, 1 + 2 * 10 + 1);
  const [embedding, norm] = stageCosts(program(2));
  assertEquals([embedding!.flops, norm!.flops], [0, 3 * 64 * 4]);
  const group = stageProgram(tinyStage(tinyModel(), { tensorParallelSize: 2 }), {
    ...{ tokens: 3, logitsRows: 2 },
  });
  assertEquals(stageCosts(group).length, 1 + 2 * 10 + 1 + 2, "collectives are not counted");
  // Where tokens stand decides what attention costs: of 3 at the start 1, 2 and 3 are visible.
  const attention = (places?: { positions: number[]; slots: number[] }) =>
    stageProgram(stage, { tokens: 3, logitsRows: 1 }, places).ops
      .find((op) => op.kind === "kernel" && op.operation.kernel === "attention");
  const flops = [attention(), attention({ positions: [0, 1, 2], slots: [1, 1, 1] })].map((op) =>
    op!.kind === "kernel" ? op!.operation.cost.flops : NaN
  );
  assertAlmostEquals(flops[0]! / flops[1]!, (30 + 31 + 32) / (1 + 2 + 3), 1e-12);
});

Deno.test("a stage's buffers are those of its largest batches, of which some or all rows are sampled", () => {
  assertEquals(
    [[3, 24], [24, 3], [3, 3]].map(([maxNumSeqs, maxNumBatchedTokens]) =>
      maxLogitsRows({ maxNumSeqs: maxNumSeqs!, maxNumBatchedTokens: maxNumBatchedTokens! })
    ),
    [3, 3, 3],
  );
  const bytes = (changes: Partial<Stage>) => {
    const buffers = stageBuffers(tinyStage(tinyModel(), changes));
    return ["state.sampled", "state.normed", "output.logits", "input.logits_indices"].map(
      (name) => {
        const tensor = buffers.get(name);
        return tensor && `${tensor.role} ${bufferBytes(tensor)}`;
      },
    );
  };
  const row = 64 * 4;
  assertEquals(bytes({}), [
    `state ${3 * row}`,
    `state ${24 * row}`,
    `output ${3 * 128 * 4}`,
    "input 16",
  ]);
  // Where all tokens may be sampled, one less may be too.
  assertEquals(bytes({ maxNumSeqs: 24 }), [
    `state ${23 * row}`,
    `state ${24 * row}`,
    `output ${24 * 128 * 4}`,
    "input 96",
  ]);
  assertEquals(bytes({ maxNumSeqs: 1, maxNumBatchedTokens: 1 }), [
    undefined,
    `state ${row}`,
    `output ${128 * 4}`,
    undefined,
  ]);
});
