import { stringify } from "@std/csv";
import { guardText } from "../../records/files/csv_rows.ts";
import { columnsOf } from "../../records/rows/row.ts";

const HOSTILE = "</script><img src=x onerror=alert(1)>\u202e'\"`=cmd()&lt;";

/** A synthetic run folder: kernels, collectives and schedules with so many kernel rows. */
export async function syntheticRun(
  folder: string,
  { rows, hostile = false }: { rows: number; hostile?: boolean },
) {
  await Deno.mkdir(folder, { recursive: true });
  const text = (value: string) => hostile ? `${value} ${HOSTILE}` : value;
  const common = {
    schema_version: "1",
    run_id: text("synthetic"),
    status: "ok",
    adapter: text("a software adapter"),
    adapter_type: "software",
    physical_adapters: "1",
    logical_ranks: "1",
    clock: "gpu",
    samples: "12",
    time_us_min: "90",
    time_us_p95: "130",
    time_us_ci_low: "99",
    time_us_ci_high: "101",
    noise_pct: "1",
    dtype: "float32",
    model: text("tiny"),
    canary_pct: "0",
  };
  const write = async (
    suite: "kernels" | "collectives" | "schedules",
    list: Record<string, string>[],
  ) => {
    const headers = columnsOf(suite).map(({ header }) => header);
    const lines = list.map((row) =>
      headers.map((header) => guardText({ ...common, suite, ...row }[header] ?? ""))
    );
    await Deno.writeTextFile(`${folder}/${suite}.csv`, stringify([headers, ...lines]));
  };
  await write(
    "kernels",
    Array.from({ length: rows }, (_, i) => ({
      row_key: `k${i}`,
      op: text(["gemm", "gemv", "ffn"][i % 3]!),
      variant: text("naive"),
      reason: text(""),
      mode: "hot",
      tensor_parallel_size: String(1 + i % 2),
      tokens: String(1 + i % 64),
      context: "256",
      time_us_median: String(100 + i),
      rate_gflops: String(1 + i % 7),
      rate_gbytes_per_s: String(2 + i % 5),
      flops: "1000000",
      bytes: String(100000 * (1 + i % 9)),
      speedup_vs_naive: "1",
      status: i === 1 ? "wrong" : "ok",
    })),
  );
  await write(
    "collectives",
    [4096, 65536].flatMap((size) =>
      ["ring", "one_shot"].map((algorithm, i) => ({
        row_key: `c${size}${algorithm}`,
        op: "all_reduce",
        algorithm: text(algorithm),
        transport: "workers",
        memory: "host",
        logical_ranks: "2",
        message_bytes: String(size),
        time_us_median: String(size === 4096 ? 2 - i : 10 + i),
        busbw_gbytes_per_s: "3",
      }))
    ),
  );
  await write(
    "schedules",
    ["step", "step_with_batch_queue"].map((schedule, i) => ({
      row_key: `s${i}`,
      schedule,
      tensor_parallel_size: "1",
      pipeline_parallel_size: "2",
      data_parallel_size: "1",
      max_concurrent_batches: String(1 + i),
      output_tokens_per_s: String(61.5 + 40 * i),
      speedup_vs_step: "1",
      busy_pct: "50",
      transfer_pct: "10",
      host_gap_pct: "10",
      imbalance_pct: "10",
      fill_drain_pct: "20",
      admission: "greedy",
    })),
  );
  await Deno.writeTextFile(
    `${folder}/samples.jsonl`,
    JSON.stringify({
      row_key: "k0",
      series: { gpu_us: Array.from({ length: 500 }, (_, i) => 100 + i % 10) },
    }) + "\n",
  );
  const event = (tid: number, name: string, ts: number) => ({
    ph: "X",
    name,
    ts,
    dur: 50,
    pid: 0,
    tid,
    args: { batch: 1 },
  });
  await Deno.writeTextFile(
    `${folder}/timeline.json`,
    JSON.stringify({
      traceEvents: [
        { ph: "M", name: "process_name", pid: 0, args: { name: text("step pp=2") } },
        ...[0, 1].map((tid) => ({
          ph: "M",
          name: "thread_name",
          pid: 0,
          tid,
          args: { name: `rank ${tid}: replica 0, stage ${tid}, tp 0` },
        })),
        event(0, "compute", 0),
        event(0, "send", 50),
        event(1, "receive", 100),
        event(1, "compute", 150),
        { ph: "s", id: "1", ts: 50, pid: 0, tid: 0 },
        { ph: "f", id: "1", ts: 100, pid: 0, tid: 1 },
      ],
    }),
  );
  await Deno.writeTextFile(
    `${folder}/ranks.csv`,
    "rank,data_parallel_rank,pipeline_parallel_rank,tensor_parallel_rank,first_layer,last_layer,tensor_parallel_size,pipeline_parallel_size,data_parallel_size,weight_bytes_predicted,weight_bytes_allocated\r\n0,0,0,0,0,3,1,2,1,51400000,51400000\r\n1,0,1,0,4,7,1,2,1,51400000,51400000\r\n",
  );
  await Deno.writeTextFile(
    `${folder}/plan.csv`,
    "place,tensor_parallel_size,pipeline_parallel_size,data_parallel_size,schedule,predicted_output_tokens_per_s,measured_output_tokens_per_s,error_pct,why\r\n1,1,2,1,step,60,61.5,2.4,memory\r\n",
  );
  await Deno.writeTextFile(
    `${folder}/manifest.json`,
    JSON.stringify({
      schema_version: 1,
      run_id: text("synthetic"),
      started_at: "2026-01-01T00:00:00.000Z",
      configuration: { name: text("synthetic") },
      configuration_hash: "0",
      ceilings: { multiplyAddGflops: 80, copyGbytesPerS: 11 },
      interrupted: false,
    }),
  );
}
