import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { dummy, tinyModel } from "../runtime/tiny.ts";
import { fileTensors, writeCheckpoint } from "../model/make_checkpoint.ts";
import { inProcess } from "./in_process.ts";
import { inConfigFolder, shardbench } from "./shardbench.ts";

const PROMPT = ["--prompt-token-ids", "1,2,3,4,5,6,7,8,9,10,11"];

Deno.test("generate streams token ids, the same ones as JSON and as the largest logits", () =>
  inConfigFolder(async (folder, config) => {
    const args = ["generate", "--config", config, ...PROMPT, "--max-tokens", "6"];
    const logits = `${folder}/logits.csv`;
    const streamed = await shardbench([...args, "--logits", logits]);
    assertEquals(streamed.status, 0, streamed.stderr);
    const tokenIds = streamed.stdout.trim().split("\n").map(Number);
    assertEquals(tokenIds.length, 6);
    assertMatch(
      streamed.stderr,
      /prefill 11 tokens at [\d.]+ tokens\/s; decode 5 tokens at [\d.]+ tokens\/s/,
    );
    const json = await shardbench([...args, "--json"]);
    assertEquals(JSON.parse(json.stdout).token_ids, tokenIds);
    const rows = parse(await Deno.readTextFile(logits), { skipFirstRow: true });
    assertEquals(rows.length, 6 * 320);
    assertEquals(Object.keys(rows[0]!), ["position", "token_id", "logit"]);
    for (const [position, tokenId] of tokenIds.entries()) {
      const own = rows.slice(position * 320, position * 320 + 320);
      assertEquals(own.map((row) => row["position"]), new Array(320).fill(`${position}`));
      const most = Math.max(...own.map((row) => Number(row["logit"])));
      assertEquals(Number(own.find((row) => Number(row["logit"]) === most)!["token_id"]), tokenId);
    }
  }));

Deno.test("generate reads a checkpoint, from one file or two, and refuses one that does not fit", () =>
  inConfigFolder(async (folder) => {
    const keys = { num_hidden_layers: 2, vocab_size: 101 };
    const model = tinyModel(keys);
    const shape = {
      architectures: ["LlamaForCausalLM"],
      hidden_size: 64,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      intermediate_size: 96,
      ...keys,
    };
    const outputs: string[] = [];
    for (const files of [1, 2]) {
      const own = `${folder}/checkpoint${files}`;
      Deno.mkdirSync(own);
      Deno.writeTextFileSync(`${own}/config.json`, JSON.stringify(shape));
      writeCheckpoint(own, fileTensors(model, dummy(model, 0)), files);
      const config = `${folder}/${files}.json`;
      Deno.writeTextFileSync(config, JSON.stringify({ model: own, load_format: "safetensors" }));
      const { status, stdout, stderr } = await shardbench([
        "generate",
        "--config",
        config,
        ...PROMPT,
      ]);
      assertEquals(status, 0, stderr);
      outputs.push(stdout);
    }
    const config = `${folder}/dummy.json`;
    Deno.writeTextFileSync(config, JSON.stringify({ model: `${folder}/checkpoint1` }));
    const seeded = await shardbench(["generate", "--config", config, ...PROMPT]);
    assertEquals(outputs, [seeded.stdout, seeded.stdout], seeded.stderr);

    Deno.writeTextFileSync(
      `${folder}/checkpoint1/config.json`,
      JSON.stringify({ ...shape, vocab_size: 100 }),
    );
    const wrong = await shardbench(["generate", "--config", `${folder}/1.json`, ...PROMPT]);
    assertEquals(wrong.status, 2);
    assertStringIncludes(wrong.stderr, "found shape 101 x 64; the config asks for 100 x 64");
  }));

Deno.test("generate refuses bad input with status 2 and one message", () =>
  inConfigFolder(async (folder, config) => {
    const generate = (...more: string[]) => ["generate", "--config", config, ...more];
    const cases: [readonly string[], RegExp][] = [
      [generate(), /--prompt-token-ids/],
      [generate("--prompt-token-ids", "1,x"), /"x".*0 to 319/],
      [generate("--prompt-token-ids", "1,,2"), /""/],
      [generate("--prompt-token-ids", "320"), /"320"/],
      [generate("--prompt-token-ids", "-1"), /"-1"/],
      [generate(...PROMPT, "--max-tokens", "0"), /1 and more/],
      [generate(...PROMPT, "--max-tokens", "40000"), /up to 32757/],
      [generate(...PROMPT, "--logits", `${folder}/no/such.csv`), /such\.csv/],
      [generate(...PROMPT, "--set", "x=1"), /--set/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await inProcess(args);
      assertEquals(status, 2, `${args.join(" ")}: ${stderr}`);
      assertMatch(stderr, message);
      assert(!stderr.includes("    at "), stderr);
      assertEquals(stdout, "");
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["config.json"]);
  }));
