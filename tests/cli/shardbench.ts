import { inFolder } from "../in_folder.ts";
import { childVariables } from "../own_variables.ts";

/** A configuration of a tiny model and every suite that can be run. */
export const CONFIG = {
  name: "tiny",
  model: new URL("../../models/mistral_7b.json", import.meta.url).pathname,
  model_overrides: {
    num_hidden_layers: 1,
    vocab_size: 320,
    hidden_size: 64,
    intermediate_size: 96,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
  },
  measure: { min_time_ms: 1, min_samples: 3, max_noise_pct: 50, timeout_s: 5, modes: ["hot"] },
  kernels: {
    ops: ["embedding", "attention", "ffn", "lm_head"],
    tensor_parallel_sizes: [1, 2],
    tokens: [1, 9],
    context: [16],
    variants: "best",
  },
  collectives: {
    ops: ["all_reduce", "argmax"],
    ranks: [2, 3],
    sizes: "64B:512B:*8",
    algorithms: ["ring", "one_shot_int8", "auto", "native"],
    transports: ["workers", "same_device", "mpi"],
    memory: ["host", "device"],
  },
  schedules: {
    layouts: [{}],
    schedules: ["step"],
    max_num_batched_tokens: 8,
    max_num_seqs: 2,
    requests: { count: 3, prompt_tokens: 5, output_tokens: 3 },
  },
};

/** Runs the command line, of another copy of the tree too, in a process of its own. */
export async function shardbench(
  args: readonly string[],
  { env = {}, root = new URL("../../", import.meta.url), commands }: {
    readonly env?: Record<string, string>;
    readonly root?: URL;
    /** What it may run, with commas between. */
    readonly commands?: string;
  } = {},
) {
  const main = new URL("cli/main.ts", root).pathname;
  const output = await new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys",
      ...(commands === undefined ? [] : [`--allow-run=${commands}`]),
      main,
      ...args,
    ],
    clearEnv: true,
    env: { ...childVariables(), ...env },
    cwd: root,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    status: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Calls back with a folder that holds a configuration. */
export function inConfigFolder(
  run: (folder: string, config: string) => Promise<void>,
  config: object = CONFIG,
): Promise<void> {
  return inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    await run(folder, `${folder}/config.json`);
  });
}
