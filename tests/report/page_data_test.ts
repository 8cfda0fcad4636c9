import { assertEquals } from "@std/assert";
import { dashboardHtml, escapeHtml } from "../../report/dashboard.ts";
import { pageData } from "../../report/page_data.ts";
import { inFolder } from "../in_folder.ts";

/** Writes a run's files into a folder below one; returns its path. */
function writeRun(folder: string, name: string, files: Readonly<Record<string, unknown>>): string {
  const path = `${folder}/${name}`;
  Deno.mkdirSync(path);
  const { configuration_hash, schema_version } = MANIFEST;
  const manifest = { run_id: name, started_at: "2025", configuration: {}, configuration_hash };
  const all = { "manifest.json": { ...manifest, schema_version }, ...files };
  for (const [file, content] of Object.entries(all)) {
    Deno.writeTextFileSync(
      `${path}/${file}`,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return path;
}

const MANIFEST = {
  ...{ schema_version: 2, run_id: "run-1", started_at: "2026-01-02", configuration_hash: "0" },
  configuration: { name: "small", model: "../models/tiny.json", dtype: "float32" },
  adapter: { name: "llvmpipe", type: "software" },
  ceilings: { multiplyAddGflops: 90.12345, copyGbytesPerS: 12.34567 },
  environment: {
    ...{ cpu_model: "a cpu", logical_cores: 2, os: "linux", os_release: "6.1" },
    ...{ architecture: "x86_64", load_average: [0.123456, 1, 2], deno_version: "2.9.6" },
    ...{ suite_version: "0.1.0", commit: { id: "0123456789abcdef" } },
  },
  canary_us: 110.12345,
  interrupted: true,
};

Deno.test("a page has of each run what it is, its rows with their names, and some of its samples", () =>
  inFolder((folder) => {
    const values = Array.from({ length: 401 }, (_, i) => i + 0.12345678);
    const path = writeRun(folder, "first", {
      "manifest.json": MANIFEST,
      "kernels.csv": "row_key,op,tokens\r\nk,gemm,2\r\n",
      "ranks.csv": "rank,layers\r\n0,4\r\n",
      "samples.jsonl": `${
        JSON.stringify({ row_key: "k", series: { gpu_us: values, few: [1.23456789], none: [] } })
      }\n`,
    });
    const { runs: [run], columns } = pageData([path]);
    assertEquals(Object.keys(columns), ["kernels", "collectives", "schedules"]);
    assertEquals(columns["kernels"]!["time_us_median"]![0], "us");
    const { about, samples, ...rest } = run!;
    assertEquals(rest, {
      ...{ name: "run-1", started: "2026-01-02", warnings: ["The run was interrupted."] },
      ceilings: { gflops: 90.12345, gbytes: 12.34567 },
      tables: {
        kernels: {
          headers: ["row_key", "op", "tokens"],
          rows: [["k", "gemm", "2"]],
          labels: ["gemm tokens=2"],
        },
        ranks: { headers: ["rank", "layers"], rows: [["0", "4"]] },
      },
      timelines: [],
    });
    assertEquals(about, [
      ["configuration", "small"],
      ["model", "tiny.json"],
      ["weights", "float32"],
      ["adapter", "llvmpipe (software)"],
      ["ceilings measured", "90.12 GFLOP/s, 12.35 GB/s"],
      ["CPU", "a cpu, 2 cores"],
      ["system", "linux 6.1, x86_64"],
      ["load at the start", "0.1235, 1, 2"],
      ["Deno", "2.9.6"],
      ["suite", "0.1.0 0123456789ab"],
      ["canary", "110.1 us"],
    ]);
    assertEquals(samples["k"]!["few"], { count: 1, values: [1.23457] });
    assertEquals(Object.keys(samples["k"]!), ["gpu_us", "few"]);
    const { count, values: picked } = samples["k"]!["gpu_us"]!;
    assertEquals([count, picked.length], [401, 200]);
    assertEquals([...picked.slice(0, 3), picked[100], picked.at(-1)], [
      ...[0.123457, 2.12346, 4.12346, 200.123, 398.123],
    ]);
  }));

Deno.test("runs are sorted by their start; what is not known of one is said to be unknown, or nothing", () =>
  inFolder((folder) => {
    const kernels = "row_key,op\r\nk,add\r\n";
    const bare = writeRun(folder, "bare", { "kernels.csv": kernels });
    const run = (name: string, started_at: string, ceilings = {}) =>
      writeRun(folder, name, {
        "kernels.csv": kernels,
        "manifest.json": { ...MANIFEST, run_id: name, started_at, ceilings, interrupted: false },
      });
    const none = { multiplyAddGflops: 0, copyGbytesPerS: 1 };
    const { runs } = pageData([
      run("c", "2026-03"),
      run("a", "2026-01", none),
      run("b", "2026-02"),
      bare,
    ]);
    assertEquals(runs.map(({ name }) => name), ["bare", "a", "b", "c"]);
    assertEquals(runs.map(({ ceilings }) => ceilings), [null, null, null, null]);
    assertEquals(runs.map(({ warnings }) => warnings), [[], [], [], []]);
    assertEquals(runs[0]!.started, "2025");
    assertEquals(runs[0]!.about, [
      ["adapter", "unknown (unknown)"],
      ["CPU", "unknown, ? cores"],
    ]);
  }));

Deno.test("a run warns of rows by the number, and of what makes all of them less good", () =>
  inFolder((folder) => {
    const headers = [
      ...["row_key", "status", "adapter_type", "oversubscribed", "logical_ranks"],
      ...["physical_adapters", "canary_pct", "noise_pct"],
    ];
    const lines = [
      ["1", "wrong", "software", "true", "2", "1", "10.1", "10"],
      ["2", "failed", "software", "false", "1", "1", "-10.1", "10.1"],
      ["3", "failed", "discrete", "", "2", "2", "10", "30"],
      ["4", "ok", "", "", "", "", "", ""],
    ];
    const path = writeRun(folder, "run", {
      "collectives.csv": [headers, ...lines].map((line) => `${line.join()}\r\n`).join(""),
    });
    assertEquals(pageData([path]).runs[0]!.warnings, [
      "1 row: the check failed; struck out, and in no ranking",
      "2 rows: not measured, see the reason",
      "2 rows: on a software adapter, no GPU was measured",
      "1 row: more ranks than cores or adapters (oversubscribed)",
      "1 row: several ranks on one adapter",
      "2 rows: the machine's speed was more than 10 % off (canary)",
      "2 rows: noise above 10 %",
    ]);
  }));

Deno.test("a timeline has a row a rank, spans by kind, and where each send starts and ends", () =>
  inFolder((folder) => {
    const meta = (name: string, pid: number, tid: number, text: string) => ({
      ...{ ph: "M", name, pid, tid, args: { name: text } },
    });
    const span = (tid: number, name: string, ts: number, more = {}) => ({
      ...{ ph: "X", pid: 1, tid, name, ts, dur: 5.06, ...more },
    });
    const flow = (ph: string, id: string, ts: number, tid: number) => ({ ph, id, ts, pid: 1, tid });
    const traceEvents = [
      meta("process_name", 1, 0, "step pp=2"),
      meta("thread_name", 1, 10, "rank 0: replica 1, stage 2, tp 3"),
      meta("thread_name", 1, 11, "router"),
      span(10, "send", 1.26, { args: { batch: 7 } }),
      span(11, "own", 2),
      span(10, "compute", 3),
      span(11, "other", 4),
      flow("s", "a", 1.04, 10),
      flow("f", "a", 2.06, 11),
      flow("s", "b", 1, 10),
      meta("process_name", 2, 0, "another"),
    ];
    const path = writeRun(folder, "run", {
      "kernels.csv": "row_key\r\nk\r\n",
      "timeline.json": { traceEvents },
    });
    const kinds = [
      ...["compute", "all_reduce", "receive", "all_gather", "send", "argmax", "gather"],
    ];
    assertEquals(pageData([path]).runs[0]!.timelines, [
      {
        label: "step pp=2",
        kinds: [...kinds, "own", "other"],
        rows: [
          { name: "rank 0 dp1 pp2 tp3", spans: [[1.3, 5.1, 4, 7], [3, 5.1, 0, 0]] },
          { name: "router", spans: [[2, 5.1, 7, 0], [4, 5.1, 8, 0]] },
        ],
        sends: [[1, 0, 2.1, 1]],
        left: 0,
      },
      { label: "another", kinds, rows: [], sends: [], left: 0 },
    ]);
    const many = Array.from({ length: 20_002 }, (_, i) => span(10, "send", i));
    const long = writeRun(folder, "long", {
      "kernels.csv": "row_key\r\nk\r\n",
      "timeline.json": { traceEvents: [traceEvents[1], ...many] },
    });
    const [timeline] = pageData([long]).runs[0]!.timelines;
    assertEquals([timeline!.left, timeline!.rows[0]!.spans.length], [2, 20_000]);
  }));

Deno.test("a page's title names its runs, as far as there is room, and is markup that shows it", async () => {
  const title = async (...names: string[]) => {
    const runs = names.map((name) => ({
      ...{ name, started: "", about: [], warnings: [], ceilings: null },
      ...{ tables: {}, samples: {}, timelines: [] },
    }));
    return /<title>(.*)<\/title>/.exec(await dashboardHtml({ runs, columns: {} }))![1];
  };
  assertEquals(await title("a", "b"), "shardbench: a, b");
  assertEquals(await title("x".repeat(121)), `shardbench: ${"x".repeat(120)}`);
  assertEquals(await title("<b>"), "shardbench: &lt;b&gt;");
  assertEquals(escapeHtml(`a&<>"'`), "a&amp;&lt;&gt;&quot;&#39;");
});
