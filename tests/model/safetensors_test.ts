import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CheckpointError } from "../../model/safetensors.ts";
import { SafetensorsWeights } from "../../model/safetensors_weights.ts";
import type { ModelShape } from "../../model/shape.ts";
import { stageWeights } from "../../model/stage_weights.ts";
import { hostWeight, type WeightSource } from "../../model/weight_source.ts";
import { inFolder } from "../in_folder.ts";
import { dummy, tinyModel, tinyStage } from "../runtime/tiny.ts";
import {
  bfloat16,
  type FileTensor,
  fileTensors,
  safetensorsBytes,
  writeCheckpoint,
} from "./make_checkpoint.ts";

/** Every weight of a rank, in host form. */
function loaded(
  model: ModelShape,
  source: WeightSource,
  cut: { dtype?: "int8"; size?: number; rank?: number } = {},
) {
  const { dtype = "float32", size = 1, rank = 0 } = cut;
  const stage = tinyStage(model, { dtype, tensorParallelSize: size, tensorParallelRank: rank });
  return stageWeights(stage).map((weight) => ({
    name: weight.name,
    ...hostWeight(weight, source),
  }));
}

const MODELS = {
  llama: tinyModel(),
  "Qwen2, tied": tinyModel({ architectures: ["Qwen2ForCausalLM"], tie_word_embeddings: true }),
  "plain FFN": tinyModel({ architectures: ["PlainFFNForCausalLM"] }),
};

for (const [name, model] of Object.entries(MODELS)) {
  Deno.test(`a checkpoint gives back what was written, whole, cut and in two files: ${name}`, () =>
    inFolder((folder) => {
      const written = dummy(model, 5);
      writeCheckpoint(folder, fileTensors(model, written));
      const two = `${folder}/two`;
      Deno.mkdirSync(two);
      writeCheckpoint(two, fileTensors(model, written), 2);
      using one = SafetensorsWeights.open(folder, model);
      using sharded = SafetensorsWeights.open(two, model);
      for (const [size, rank] of [[1, 0], [2, 0], [2, 1], [4, 3]] as const) {
        const expected = loaded(model, written, { size, rank });
        assertEquals(loaded(model, one, { size, rank }), expected);
        assertEquals(loaded(model, one, { size, rank }), expected, "the second time");
        assertEquals(loaded(model, sharded, { size, rank }), expected, "from two files");
      }
    }));
}

Deno.test("bf16 and f16 files give their rounded values, exactly", () =>
  inFolder((folder) => {
    const model = tinyModel();
    for (const dtype of ["BF16", "F16"] as const) {
      const tensors = fileTensors(model, dummy(model), dtype);
      writeCheckpoint(folder, tensors);
      using half = SafetensorsWeights.open(folder, model);
      const widened = new Map([...tensors].map(([name, { bytes, shape }]): [string, FileTensor] => {
        const halves = new Uint16Array(bytes.buffer);
        const values = dtype === "BF16"
          ? Float32Array.from(halves, (h) => new Float32Array(Uint32Array.of(h << 16).buffer)[0]!)
          : Float32Array.from(new Float16Array(bytes.buffer));
        return [name, { dtype: "F32", shape, bytes: new Uint8Array(values.buffer) }];
      }));
      const wide = `${folder}/${dtype}`;
      Deno.mkdirSync(wide);
      writeCheckpoint(wide, widened);
      using full = SafetensorsWeights.open(wide, model);
      assertEquals(loaded(model, half), loaded(model, full));
    }
  }));

Deno.test("the int8 values of a cut are the slice of the uncut ones", () =>
  inFolder((folder) => {
    const model = tinyModel({ vocab_size: 128 });
    writeCheckpoint(folder, fileTensors(model, dummy(model)));
    using checkpoint = SafetensorsWeights.open(folder, model);
    for (const source of [checkpoint, dummy(model)]) {
      const whole = loaded(model, source, { dtype: "int8" });
      const halves = [0, 1].map((rank) => loaded(model, source, { dtype: "int8", size: 2, rank }));
      const at = (list: typeof whole, name: string) => list.find((w) => w.name === name)!;
      // Down is cut by rows: the halves stand one below the other and share the scales of the whole.
      const down = "weights.layers.1.down_weight";
      assertEquals(
        [...at(halves[0]!, down).values, ...at(halves[1]!, down).values],
        [...at(whole, down).values],
      );
      for (const half of halves) assertEquals(at(half, down).scales, at(whole, down).scales);
      // The head is cut by columns: each row of the whole is a row of one half, then of the other.
      const head = "weights.head_weight";
      const rows = halves.map((half) => [...at(half, head).values]);
      const joined = Array.from({ length: 64 }, (_, k) =>
        rows.flatMap((r) => r.slice(k * 64, k * 64 + 64)));
      assertEquals(joined.flat(), [...at(whole, head).values]);
      assert(
        at(whole, head).values.some((code) =>
          Math.abs(code) === 127
        ) || source !== checkpoint,
      );
    }
  }));

/** A file of one tensor, with a header that lies. */
function lying(edit: (header: Record<string, Record<string, unknown>>) => unknown): Uint8Array {
  const tensors = new Map([
    ["a", { dtype: "F32", shape: [2, 3], bytes: new Uint8Array(24) }],
    ["b", { dtype: "F32", shape: [4], bytes: new Uint8Array(16) }],
  ]);
  return safetensorsBytes(
    tensors,
    (header) => edit(header as Record<string, Record<string, unknown>>),
  );
}

const claims = (bytes: number) => {
  const file = new Uint8Array(16);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes), true);
  return file;
};

const HOSTILE: Readonly<Record<string, readonly [Uint8Array, string]>> = {
  "an empty file": [new Uint8Array(0), "truncated"],
  "a header longer than the file": [claims(1000), "truncated"],
  "a header of an exabyte": [claims(2 ** 60), "claims"],
  "a header that is no JSON": [claims(8), "no JSON object"],
  "a header that is a list": [lying(() => [1, 2]), "no JSON object"],
  "overlapping tensors": [
    lying((h) => ({ ...h, b: { ...h["b"], data_offsets: [8, 24] } })),
    "overlap",
  ],
  "a tensor past the end": [
    lying((h) => ({ ...h, b: { ...h["b"], data_offsets: [40, 56] } })),
    "truncated",
  ],
  "offsets that go backwards": [
    lying((h) => ({ ...h, b: { ...h["b"], data_offsets: [24, 8] } })),
    '"b" takes -16 bytes',
  ],
  "negative offsets": [
    lying((h) => ({ ...h, b: { ...h["b"], data_offsets: [-16, 0] } })),
    '"b" has the offsets',
  ],
  "a shape that overflows": [
    lying((h) => ({ ...h, b: { ...h["b"], shape: [2 ** 52, 2 ** 52] } })),
    '"b" takes 16 bytes',
  ],
  "a shape that is no shape": [lying((h) => ({ ...h, b: { ...h["b"], shape: "4" } })), "the shape"],
  "an unknown dtype": [lying((h) => ({ ...h, b: { ...h["b"], dtype: "F7" } })), "unknown dtype"],
  "an entry that is nothing": [lying((h) => ({ ...h, b: null })), "unknown dtype"],
};

for (const [name, [bytes, message]] of Object.entries(HOSTILE)) {
  Deno.test(`a hostile file is refused: ${name}`, () =>
    inFolder((folder) => {
      Deno.writeFileSync(`${folder}/model.safetensors`, bytes);
      const open = () => SafetensorsWeights.open(folder, tinyModel());
      assertStringIncludes(assertThrows(open, CheckpointError).message, message);
    }));
}

Deno.test("an index that points out of its folder, or at what is not there, is refused", () =>
  inFolder((folder) => {
    const open = () => SafetensorsWeights.open(folder, tinyModel());
    const index = (weight_map: unknown) =>
      Deno.writeTextFileSync(
        `${folder}/model.safetensors.index.json`,
        JSON.stringify({ weight_map }),
      );
    for (const file of ["../x.safetensors", "/etc/x.safetensors", "x.bin", 7, ".."]) {
      index({ a: file });
      assertStringIncludes(assertThrows(open, CheckpointError).message, "beside the index");
    }
    index({ a: "gone.safetensors" });
    assertStringIncludes(assertThrows(open, CheckpointError).message, "it is not there");
    index(undefined);
    assertStringIncludes(assertThrows(open, CheckpointError).message, "weight_map");
  }));

Deno.test("what does not fit the config is named, all of it at once", () =>
  inFolder((folder) => {
    const model = tinyModel();
    const tensors = fileTensors(model, dummy(model));
    tensors.delete("model.norm.weight");
    const up = tensors.get("model.layers.0.mlp.up_proj.weight")!;
    tensors.set("model.layers.0.mlp.up_proj.weight", { ...up, shape: [64, 96] });
    const gate = tensors.get("model.layers.1.mlp.gate_proj.weight")!;
    tensors.set("model.layers.1.mlp.gate_proj.weight", { ...gate, dtype: "I32" });
    tensors.set("model.layers.0.self_attn.q_norm.weight", {
      dtype: "F32",
      shape: [2],
      bytes: new Uint8Array(8),
    });
    tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", {
      dtype: "F32",
      shape: [2],
      bytes: new Uint8Array(8),
    });
    writeCheckpoint(folder, tensors);
    const { problems } = assertThrows(
      () => SafetensorsWeights.open(folder, model),
      CheckpointError,
    );
    assertEquals(problems.length, 4, problems.join("\n"));
    for (const text of ["model.norm.weight", "64 x 96", "I32", "q_norm"]) {
      assert(problems.some((problem) => problem.includes(text)), text);
    }
    const none = assertThrows(
      () => SafetensorsWeights.open(`${folder}/no`, model),
      CheckpointError,
    );
    assertStringIncludes(none.message, "it is not there");
  }));

/** A checkpoint whose tensors have other numbers at some elements, loaded as one rank of two stores it. */
function loadChanged(
  folder: string,
  changes: Readonly<Record<string, readonly [element: number, value: number]>>,
  { type = "F32", dtype = "float32" }: {
    type?: "F32" | "F16" | "BF16";
    dtype?: "float32" | "float16" | "int8";
  } = {},
) {
  const model = tinyModel();
  const tensors = fileTensors(model, dummy(model), type);
  for (const [name, [element, value]] of Object.entries(changes)) {
    const { bytes } = tensors.get(name)!;
    if (type === "F32") new Float32Array(bytes.buffer)[element] = value;
    else if (type === "F16") new Float16Array(bytes.buffer)[element] = value;
    else new Uint16Array(bytes.buffer)[element] = bfloat16(value);
  }
  writeCheckpoint(folder, tensors);
  using source = SafetensorsWeights.open(folder, model);
  for (const rank of [0, 1]) {
    const stage = tinyStage(model, { dtype, tensorParallelSize: 2, tensorParallelRank: rank });
    for (const weight of stageWeights(stage)) hostWeight(weight, source);
  }
}

Deno.test("a weight that is not finite is refused by file, tensor, row and column, in every type", () =>
  inFolder((folder) => {
    const columns = tinyModel().hidden;
    for (const type of ["F32", "F16", "BF16"] as const) {
      for (const dtype of ["float32", "float16", "int8"] as const) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const name = "model.layers.1.mlp.up_proj.weight";
          const load = () =>
            loadChanged(folder, { [name]: [3 * columns + 7, value] }, { type, dtype });
          const { path, problems } = assertThrows(load, CheckpointError);
          assertEquals(path, `${folder}/model.safetensors`);
          assertEquals(problems, [
            `"${name}": found ${value} in row 3, column 7; legal: finite numbers`,
          ]);
        }
      }
    }
    for (const name of ["model.norm.weight", "model.embed_tokens.weight", "lm_head.weight"]) {
      const load = () => loadChanged(folder, { [name]: [2, NaN] });
      assertStringIncludes(assertThrows(load, CheckpointError).message, `"${name}"`);
    }
  }));

Deno.test("a number beyond float16 is refused where weights are stored as float16, and nowhere else", () =>
  inFolder((folder) => {
    const name = "model.layers.0.self_attn.o_proj.weight";
    const columns = 64;
    const at = (value: number) => ({ [name]: [5 * columns + 9, value] as const });
    for (const value of [65520, -1e6]) {
      const load = () => loadChanged(folder, at(value), { dtype: "float16" });
      const { path, problems: [problem] } = assertThrows(load, CheckpointError);
      assertEquals(path, `${folder}/model.safetensors`);
      assertStringIncludes(problem!, `"${name}": ${value} in row 5, column 9 is beyond float16`);
    }
    loadChanged(folder, at(65519), { dtype: "float16" }); // rounds to 65504
    for (const dtype of ["float32", "int8"] as const) loadChanged(folder, at(1e6), { dtype });
    // Norms and biases are float32, whatever the weights are stored as.
    loadChanged(folder, { "model.norm.weight": [0, 1e6] }, { dtype: "float16" });
  }));
