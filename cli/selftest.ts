import { Command, ValidationError } from "@cliffy/command";
import { Table } from "@cliffy/table";
import { z } from "zod";
import { resolveConfig } from "../config/config.ts";
import { createRunFolder } from "../records/run_folder/run_folder.ts";
import { loadRun } from "../records/run_folder/load_run.ts";
import { type Rates, selftest } from "../report/selftest.ts";
import { DEFAULT_THRESHOLD_PCT } from "./compare.ts";
import { EXIT } from "./exit_status.ts";
import { interruptible } from "./interrupt.ts";
import { progressPrinter } from "./progress.ts";
import { measureRun } from "../bench/suites/measure_run.ts";

const OPTIONS = z.object({
  threshold: z.number().default(DEFAULT_THRESHOLD_PCT),
  json: z.boolean().optional(),
});

/** Kernels of different lengths, from tens of microseconds to tens of milliseconds. */
const CONFIG = {
  name: "selftest",
  model: "../models/mistral_7b.json",
  model_overrides: {
    num_hidden_layers: 1,
    vocab_size: 4096,
    hidden_size: 512,
    intermediate_size: 1408,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 64,
  },
  measure: { min_time_ms: 400, min_samples: 32, max_noise_pct: 0.5, timeout_s: 4 },
  kernels: {
    ops: [
      "embedding",
      "attention",
      "ffn",
      "lm_head",
      "gemv",
      "rms_norm",
      "softmax",
      "activation",
      "argmax",
    ],
    tokens: [1, 16],
    context: [256],
  },
};

/** `selftest`: false alarms and detection power of `compare` on this machine. */
export function selftestCommand(exit: (status: number) => void): Command {
  return new Command()
    .description("Measure how often compare invents a change here, and how often it finds one.")
    .option("--threshold <pct:number>", `Least change that counts, in %; ${DEFAULT_THRESHOLD_PCT}.`)
    .option("--json", "Print JSON.")
    .action(async (options) => exit(await measure(OPTIONS.parse(options))));
}

async function measure({ threshold, json }: z.output<typeof OPTIONS>): Promise<number> {
  if (!(threshold > 0 && threshold < 100)) {
    throw new ValidationError(`Cannot use --threshold "${threshold}": legal is above 0, below 100`);
  }
  const path = new URL("../configs/selftest", import.meta.url).pathname;
  const config = resolveConfig(CONFIG, { path });
  const folder = await Deno.makeTempDir({ prefix: "shardbench-selftest-" });
  try {
    return await interruptible(async (signal) => {
      const runs = [];
      for (const name of ["a", "b"]) {
        const open = () => createRunFolder(config, { out: `${folder}/${name}` });
        await measureRun(config, { suites: ["kernels"], filter: undefined }, {
          open,
          signal,
          progress: progressPrinter,
        });
        if (signal.aborted) return EXIT.interrupted;
        runs.push(loadRun(`${folder}/${name}`));
      }
      const rates = selftest([runs[0]!, runs[1]!], threshold);
      if (json) console.log(JSON.stringify({ threshold_pct: threshold, rates }, null, 2));
      else printRates(rates, threshold);
      return EXIT.ok;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function printRates(rates: readonly Rates[], threshold: number): void {
  const pct = (part: number, all: number) => all === 0 ? "" : `${(100 * part / all).toFixed(1)}`;
  const header = [
    "sides",
    "slow-down %",
    "rows",
    "slower %",
    "faster %",
    "quiet rows",
    "slower %",
    "faster %",
  ];
  const body = rates.map((r) => [
    r.sides,
    String(r.slowdown_pct),
    String(r.rows),
    pct(r.called_slower, r.rows),
    pct(r.called_faster, r.rows),
    String(r.quiet_rows),
    pct(r.quiet_called_slower, r.quiet_rows),
    pct(r.quiet_called_faster, r.quiet_rows),
  ]);
  const columns = header.map((_, i) => ({ align: i === 0 ? "left" : "right" } as const));
  console.log(new Table().header(header).body(body).columns(columns).padding(2).toString());
  console.log(
    `Slow-downs are injected by lengthening every sample of one side. Interleaved: the samples of one ` +
      `run dealt to two sides in turns. Quiet: noise under 1 %. Threshold ${threshold} %.`,
  );
}
