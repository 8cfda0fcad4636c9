import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRows } from "../../records/files/csv_rows.ts";
import { inProcess } from "./in_process.ts";
import { CONFIG, inConfigFolder, shardbench } from "./shardbench.ts";

const SHARES = ["busy", "fill_drain", "imbalance", "transfer", "host_gap"];

/** The tiny configuration with other schedules. */
function withSchedules(schedules: object) {
  const { kernels: _k, collectives: _c, ...rest } = CONFIG;
  return { ...rest, schedules: { ...CONFIG.schedules, ...schedules } };
}

const LAYERS = { ...CONFIG.model_overrides, num_hidden_layers: 3 };

Deno.test("schedules on several layouts: rows, ranks, timelines; resume measures what is missing", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/out`;
    const args = ["run", "--config", config];
    const { status, stdout, stderr } = await shardbench([...args, "--out", out]);
    assertEquals(status, 0, stderr);
    const lines = stdout.trim().split("\n");
    assertEquals(lines.at(-1), `${out}/schedules.csv`);
    assertMatch(stdout, /step tp=1 pp=2 dp=1 depth=1: .* batches/);
    assertMatch(stdout, /rank {2}1 \|[.0-9a-z-]+\|/);

    const { rows } = readRows(`${out}/schedules.csv`);
    assertEquals(rows.length, 8 + 4 + 4 + 16, "tp2, pp2, dp2, 2x2x2");
    assertEquals(new Set(rows.map((row) => row["row_key"])).size, rows.length);
    for (const row of rows) {
      const where = JSON.stringify(row);
      assertEquals([row["status"], row["token_mismatches"]], ["ok", "0"], where);
      const sum = SHARES.reduce((total, share) => total + Number(row[`${share}_pct`]), 0);
      assert(Math.abs(sum - Number(row["closure_pct"])) < 0.01, where);
      assert(sum > 80 && sum < 101, where);
      const tp = Number(row["tensor_parallel_size"]);
      const pp = Number(row["pipeline_parallel_size"]);
      assert(Number(row["speedup_vs_step"]) > 0, where);
      assert(Number(row["max_in_flight"]) <= Number(row["max_concurrent_batches"]), where);
      // 1 + 2L all-reduces for each exchange of logits, a send a tensor parallel rank and boundary.
      if (tp > 1) assert(Number(row["all_reduces"]) >= 7 * Number(row["all_gathers"]), where);
      assertEquals(Number(row["sends"]) > 0, pp > 1, where);
      assertEquals(Number(row["collective_bytes"]) > 0, tp > 1 || pp > 1, where);
      assert(Number(row["pipeline_law_tokens_per_s"]) > 0, where);
      const [simulated, reached] = [
        row["simulated_output_tokens_per_s"],
        row["output_tokens_per_s"],
      ];
      const error = 100 * (Number(simulated) / Number(reached) - 1);
      assert(Math.abs(error - Number(row["prediction_error_pct"])) < 0.1, where);
      assertEquals(
        row["oversubscribed"],
        String(Number(row["logical_ranks"]) > navigator.hardwareConcurrency),
      );
    }
    const naive = rows.find((row) =>
      row["schedule"] === "step" && row["logical_ranks"] === "2" &&
      row["pipeline_parallel_size"] === "2"
    )!;
    assertEquals(naive["bubble_predicted_pct"], "50");

    const ranks = readRows(`${out}/ranks.csv`).rows;
    assertEquals(ranks.length, 2 + 2 + 2 + 8);
    for (const rank of ranks) {
      for (const part of ["weight", "kv_cache"]) {
        const predicted = rank[`${part}_bytes_predicted`];
        assertEquals(rank[`${part}_bytes_allocated`], predicted, JSON.stringify(rank));
      }
    }
    const { traceEvents } = JSON.parse(await Deno.readTextFile(`${out}/timeline.json`));
    const cases = traceEvents.filter(({ name }: { name: string }) => name === "process_name");
    assertEquals(cases.length, rows.length);
    const grid = (await Deno.readTextFile(`${out}/pipeline_step_tp_1_pp_2_dp_1_depth_1.csv`))
      .trim().split(/\r?\n/);
    assertEquals(grid.length, 2);
    assertMatch(grid[0]!, /^0F0,,0F1,/);
    assertMatch(grid[1]!, /^,1F0,,1F1/);

    const csv = `${out}/schedules.csv`;
    const whole = (await Deno.readTextFile(csv)).split("\n");
    await Deno.writeTextFile(csv, whole.slice(0, -2).join("\n") + "\n");
    const again = await shardbench([...args, "--resume", out]);
    assertEquals(again.status, 0, again.stderr);
    const keys = (text: readonly Readonly<Record<string, string>>[]) =>
      text.map((row) => row["row_key"]).sort();
    assertEquals(keys(readRows(csv).rows), keys(rows));
  }, {
    ...withSchedules({
      layouts: [
        { tensor_parallel_size: 2 },
        { pipeline_parallel_size: 2 },
        { data_parallel_size: 2 },
        { tensor_parallel_size: 2, pipeline_parallel_size: 2, data_parallel_size: 2 },
      ],
      schedules: ["step", "step_with_batch_queue"],
      admission: ["greedy", "split"],
      head_exchange: ["all_gather", "argmax"],
      sliced_sends: [false, true],
    }),
    model_overrides: LAYERS,
  }));

Deno.test("requests of a trace and of a Poisson process are served when they come", () =>
  inConfigFolder(async (folder) => {
    const trace = [
      { arrival_s: 0.05, prompt_token_ids: [1, 2, 3], output_tokens: 2 },
      { arrival_s: 0, prompt_tokens: 5, output_tokens: 3 },
    ];
    await Deno.writeTextFile(
      `${folder}/trace.jsonl`,
      trace.map((line) => JSON.stringify(line)).join("\n") + "\n",
    );
    const poisson = { count: 3, prompt_tokens: 4, output_tokens: 2, arrival_rate_per_s: 100 };
    for (
      const [requests, arrivals] of [[{ trace: "trace.jsonl" }, "trace"], [
        poisson,
        "poisson 100/s",
      ]] as const
    ) {
      const config = withSchedules({ requests, layouts: [{ data_parallel_size: 2 }] });
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
      const out = `${folder}/${arrivals.slice(0, 5)}`;
      const { status, stderr } = await shardbench([
        "run",
        "--config",
        `${folder}/config.json`,
        "--out",
        out,
      ]);
      assertEquals(status, 0, stderr);
      const [row] = readRows(`${out}/schedules.csv`).rows;
      assertEquals([row!["status"], row!["arrivals"]], ["ok", arrivals], JSON.stringify(row));
      assertEquals(row!["bubble_predicted_pct"], "");
      if (arrivals === "trace") assert(Number(row!["wall_ms"]) >= 50, row!["wall_ms"]);
    }
  }));

Deno.test("layouts and traces that cannot be are refused with path and rule, all at once", () =>
  inConfigFolder(async (folder, config) => {
    await Deno.writeTextFile(`${folder}/bad.jsonl`, '{"arrival_s":0}\nnonsense\n');
    const schedules = {
      layouts: [
        { tensor_parallel_size: 3 },
        { pipeline_parallel_size: 2, stage_layers: [1, 1] },
        { pipeline_parallel_size: 4 },
        { order: "deepspeed" },
      ],
      requests: { trace: "bad.jsonl" },
      admission: ["lazy"],
    };
    const bad = { ...withSchedules(schedules), model_overrides: LAYERS };
    await Deno.writeTextFile(config, JSON.stringify(bad));
    const { status, stderr } = await inProcess(["run", "--config", config, "--dry-run"]);
    assertEquals(status, 2);
    for (
      const text of [
        "schedules.layouts.0.tensor_parallel_size: found 3",
        "schedules.layouts.1.stage_layers: found [1,1]; legal: 2 numbers that sum to 3",
        "schedules.layouts.2.pipeline_parallel_size: found 4; legal: 1 to 3",
        'schedules.layouts.3.order: found "deepspeed"; legal: "vllm", "megatron"',
        'schedules.admission.0: found "lazy"',
      ]
    ) assertStringIncludes(stderr, text);
    const lines = { ...withSchedules({ requests: { trace: "bad.jsonl" } }) };
    await Deno.writeTextFile(config, JSON.stringify(lines));
    const trace = await inProcess(["run", "--config", config, "--dry-run"]);
    assertEquals(trace.status, 2);
    assertStringIncludes(trace.stderr, "schedules.requests.trace line 1");
    assertStringIncludes(trace.stderr, "schedules.requests.trace line 2");
    const missing = withSchedules({ requests: { count: 3 } });
    await Deno.writeTextFile(config, JSON.stringify(missing));
    const absent = await inProcess(["run", "--config", config, "--dry-run"]);
    assertStringIncludes(absent.stderr, "schedules.requests.prompt_tokens: found nothing");
  }));

Deno.test("generate gives the same tokens and logits on every layout", () =>
  inConfigFolder(async (folder, config) => {
    const args = [
      "generate",
      "--config",
      config,
      "--prompt-token-ids",
      "5,6,7,8,9",
      "--max-tokens",
      "4",
    ];
    const outputs: string[] = [];
    for (
      const [i, sizes] of [[], ["-tp", "2"], ["-pp", "3"], ["-tp", "2", "-pp", "2", "-dp", "2"]]
        .entries()
    ) {
      const logits = `${folder}/logits_${i}.csv`;
      const { status, stdout, stderr } = await shardbench([...args, ...sizes, "--logits", logits]);
      assertEquals(status, 0, stderr);
      assertMatch(stderr, /host overhead \d/);
      outputs.push(stdout);
      const { rows } = readRows(logits);
      assertEquals(rows.length, 4 * 320);
      for (let position = 0; position < 4; position++) {
        const own = rows.filter((row) => row["position"] === String(position));
        const best = own.reduce((a, b) => Number(b["logit"]) > Number(a["logit"]) ? b : a);
        assertEquals(best["token_id"], stdout.trim().split("\n")[position]);
      }
    }
    assertEquals(new Set(outputs).size, 1);
  }, { ...withSchedules({}), model_overrides: LAYERS }));
