import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRows } from "../../records/files/csv_rows.ts";
import { fileTensors, writeCheckpoint } from "../model/make_checkpoint.ts";
import { dummy, tinyModel } from "../runtime/tiny.ts";
import { inConfigFolder, shardbench } from "./shardbench.ts";

const KEYS = { num_hidden_layers: 1, vocab_size: 101 };
const SHAPE = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  ...KEYS,
};

Deno.test("logits that overflow are no tokens: generate ends with status 3, rows of schedules are wrong", () =>
  inConfigFolder(async (folder) => {
    const model = tinyModel(KEYS);
    const tensors = fileTensors(model, dummy(model, 0));
    const norm = tensors.get("model.norm.weight")!;
    const large = new Uint8Array(new Float32Array(model.hidden).fill(3e38).buffer);
    tensors.set("model.norm.weight", { ...norm, bytes: large });
    writeCheckpoint(folder, tensors);
    Deno.writeTextFileSync(`${folder}/config.json`, JSON.stringify(SHAPE));
    const config = `${folder}/large.json`;
    const schedules = {
      layouts: [{ tensor_parallel_size: 2 }],
      schedules: ["step"],
      max_num_batched_tokens: 8,
      max_num_seqs: 2,
      requests: { count: 2, prompt_tokens: 3, output_tokens: 2 },
    };
    Deno.writeTextFileSync(
      config,
      JSON.stringify({ model: folder, load_format: "safetensors", schedules }),
    );
    for (const size of ["1", "2"]) {
      const args = ["--config", config, "--prompt-token-ids", "1,2,3", "-tp", size];
      const { status, stdout, stderr } = await shardbench(["generate", ...args]);
      assertEquals([status, stdout], [3, ""], stderr);
      assertMatch(stderr, /error: Cannot choose the token at position 3 .*logits are not finite/);
    }
    const out = `${folder}/out`;
    const { status, stderr } = await shardbench(["run", "--config", config, "--out", out]);
    assertEquals(status, 3, stderr);
    const { rows } = readRows(`${out}/schedules.csv`);
    assertEquals(rows.length, 1);
    for (const row of rows) {
      assertEquals(row["status"], "wrong");
      assertStringIncludes(row["reason"]!, "logits are not finite");
    }
  }));
