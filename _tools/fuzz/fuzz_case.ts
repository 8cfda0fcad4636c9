/** Command lines over damaged files; a seed decides them. */

import { generator } from "../../statistics/counter_generator.ts";
import { shuffled } from "../../statistics/shuffled.ts";
import { damageBytes, damageJson, damageText, pick, type Random } from "./damage.ts";

/** A command line and the files that it needs. */
export interface FuzzCase {
  readonly seed: number;
  readonly kind: string;
  /** Contents by path in a folder of its own. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Words of the command line; `{folder}` stands for that folder. */
  readonly args: readonly string[];
}

/** Whole files that cases damage. */
export interface FuzzSources {
  /** Configurations and models by path below the project, such as `configs/quick.json`. */
  readonly json: Readonly<Record<string, string>>;
  /** The files of a whole run by name. */
  readonly run: Readonly<Record<string, string>>;
}

/** Sizes of a model that opens at once. */
const TINY = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 16,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 32,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};

const TRACE_LINE = { arrival_s: 0, prompt_tokens: 4, output_tokens: 2 };

const encoder = new TextEncoder();

/** Reads what cases damage; needs read permission for the project. */
export function fuzzSources(root: URL): FuzzSources {
  const texts = (folder: string, of: RegExp) =>
    Object.fromEntries(
      [...Deno.readDirSync(new URL(folder, root))].filter(({ name }) => of.test(name)).map(
        ({ name }) => [`${folder}${name}`, Deno.readTextFileSync(new URL(folder + name, root))],
      ),
    );
  const run = texts("results/reference/", /\.(csv|json|jsonl)$/);
  return {
    json: { ...texts("configs/", /^(?!schema).*\.json$/), ...texts("models/", /\.json$/) },
    run: Object.fromEntries(
      Object.entries(run).map(([path, text]) => [path.split("/").at(-1)!, text]),
    ),
  };
}

type MakeCase = (random: Random, sources: FuzzSources) => Pick<FuzzCase, "files" | "args">;

/** What is damaged, by kind of case. */
const KINDS: Readonly<Record<string, MakeCase>> = {
  configuration(random, { json }) {
    const path = pick(random, Object.keys(json).filter((name) => name.startsWith("configs/")));
    const config = { ...JSON.parse(json[path]!), model: "model.json" };
    return {
      files: {
        "config.json": encoder.encode(damagedJson(config, random)),
        "model.json": encoder.encode(json["models/mistral_7b.json"]!),
      },
      args: ["run", "--dry-run", "--config", "{folder}/config.json"],
    };
  },
  model(random, { json }) {
    const path = pick(random, Object.keys(json).filter((name) => name.startsWith("models/")));
    const model = damagedJson(JSON.parse(json[path]!), random);
    const sizes = random() < 0.5 ? [] : ["-tp", pick(random, ["1", "2", "3", "0", "-1", "x"])];
    return {
      files: { "model.json": encoder.encode(model) },
      args: ["ranks", "--model", "{folder}/model.json", ...sizes],
    };
  },
  trace(random) {
    const lines = Array.from({ length: 5 }, (_, i) => {
      const line = { ...TRACE_LINE, arrival_s: i };
      return random() < 0.4 ? damagedJson(line, random) : JSON.stringify(line);
    });
    const config = {
      model: "model.json",
      schedules: { requests: { trace: "trace.jsonl" } },
    };
    return {
      files: {
        "config.json": encoder.encode(JSON.stringify(config)),
        "model.json": encoder.encode(JSON.stringify(TINY)),
        "trace.jsonl": encoder.encode(lines.join("\n")),
      },
      args: ["run", "--dry-run", "--config", "{folder}/config.json"],
    };
  },
  set(random, { json }) {
    const paths = [
      "kernels.tokens",
      "model_overrides.hidden_size",
      "measure",
      "schedules.layouts.0",
      "a..b",
    ];
    const values = ["1", "[1,1]", "-1", "null", "{}", '"x"', "1e400", "", "=", "[".repeat(5000)];
    const set = () => ["--set", `${pick(random, paths)}=${pick(random, values)}`];
    return {
      files: {
        "config.json": encoder.encode(
          JSON.stringify({ ...JSON.parse(json["configs/quick.json"]!), model: "model.json" }),
        ),
        "model.json": encoder.encode(json["models/mistral_7b.json"]!),
      },
      args: ["run", "--dry-run", "--config", "{folder}/config.json", ...set(), ...set()],
    };
  },
  checkpoint(random) {
    const header = {
      "model.embed_tokens.weight": { dtype: "F32", shape: [32, 16], data_offsets: [0, 2048] },
      "lm_head.weight": { dtype: "F32", shape: [32, 16], data_offsets: [2048, 4096] },
    };
    const text = encoder.encode(
      random() < 0.5 ? damagedJson(header, random) : JSON.stringify(header),
    );
    const file = new Uint8Array(8 + text.length + 4096);
    new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
    file.set(text, 8);
    const config = { model: ".", load_format: "safetensors", kernels: { ops: ["ffn"] } };
    return {
      files: {
        "config.json": encoder.encode(JSON.stringify(TINY)),
        "run.json": encoder.encode(JSON.stringify({ ...config, schedules: undefined })),
        "model.safetensors": damageBytes(file, random),
      },
      args: [
        "generate",
        "--config",
        "{folder}/run.json",
        "--prompt-token-ids",
        "1,2",
        "--max-tokens",
        "1",
      ],
    };
  },
  run(random, { run }) {
    const name = pick(random, Object.keys(run));
    const text = run[name]!;
    const isJson = name.endsWith(".json") && random() < 0.6;
    const damaged = isJson ? damagedJson(JSON.parse(text), random) : damageText(text, random);
    const files = Object.fromEntries(
      Object.entries(run).filter(() => random() < 0.95).map(([own, whole]) => [
        `run/${own}`,
        encoder.encode(own === name ? damaged : whole),
      ]),
    );
    const command = pick(random, [
      ["verify", "{folder}/run"],
      ["compare", "{folder}/run", "{folder}/run"],
      ["dashboard", "{folder}/run", "--out", "{folder}/page.html"],
    ]);
    return { files, args: command };
  },
  words(random) {
    const words = [
      "run",
      "ranks",
      "compare",
      "verify",
      "generate",
      "--config",
      "--model",
      "--out",
      "-tp",
      "2",
      "--set",
      "x=1",
      "--filter",
      "(",
      "",
      "/dev/null",
      "--help",
      "é",
    ];
    return {
      files: {},
      args: shuffled(words, Math.floor(random() * 1e9)).slice(0, 1 + random() * 5),
    };
  },
};

/** The case of a seed. */
export function fuzzCase(seed: number, sources: FuzzSources): FuzzCase {
  const random = generator("fuzz", seed);
  for (let i = 0; i < 3; i++) random(); // the first numbers of neighbouring seeds are alike
  const kind = pick(random, Object.keys(KINDS));
  return { seed, kind, ...KINDS[kind]!(random, sources) };
}

/** JSON with something changed, as a text that may be damaged itself. */
function damagedJson(value: unknown, random: Random): string {
  let damaged = value;
  for (let i = 0; i <= random() * 3; i++) damaged = damageJson(damaged, random);
  const text = JSON.stringify(damaged);
  return random() < 0.25 ? damageText(text, random) : text;
}
