import { fake } from "./fake_document.ts";
import { assertEquals } from "@std/assert";
import { layoutView } from "../../../report/page/layout_view.ts";
import { scheduleCharts } from "../../../report/page/schedule_charts.ts";
import { pageOf, rowsLike, runOf } from "./page_rows.ts";

const html = (element: HTMLElement) => fake(element).html;

const RANK = {
  ...{ tensor_parallel_size: "2", pipeline_parallel_size: "1", data_parallel_size: "1" },
  ...{ data_parallel_rank: "0", pipeline_parallel_rank: "0", first_layer: "0", last_layer: "3" },
  ...{ tensor_parallel_group: "0 1", pipeline_parallel_group: "0", data_parallel_group: "0" },
  ...{ rank: "0", tensor_parallel_rank: "0", query_heads: "4", kv_heads: "2" },
  ...{ vocab_start: "0", vocab_end: "99", weight_bytes_predicted: "51400000" },
  ...{ weight_bytes_allocated: "1500000", kv_cache_bytes_predicted: "2000" },
};

Deno.test("layouts are boxes of ranks in stages in replicas, with the groups that communicate", () => {
  const ranks = [
    RANK,
    { ...RANK, rank: "1", tensor_parallel_rank: "1", pipeline_parallel_group: "1" },
    { ...RANK, rank: "2", pipeline_parallel_rank: "1", first_layer: "4", last_layer: "7" },
    { ...RANK, rank: "3", data_parallel_rank: "1" },
    { ...RANK, rank: "4", data_parallel_size: "9" },
  ];
  const views = layoutView(pageOf([runOf("a", { ranks })])).map(html);
  const rank = (number: number, tp = 0) =>
    `<div class=rank><b>rank ${number}</b><div>tp ${tp}: 4 q, 2 kv heads</div>` +
    "<div>vocab 0-99</div><div>weights 51.4 MB predicted, 1.5 allocated</div>" +
    "<div>KV cache 0.002 MB predicted, - allocated</div></div>";
  const stage = (number: number, layers: string, ranks: string) =>
    `<div class=stage><div class=quiet>stage ${number}, layers ${layers}</div>` +
    `<div class=ranks>${ranks}</div></div>`;
  const replica = (number: number, stages: string) =>
    `<div class=replica><h4>replica ${number}</h4>${stages}</div>`;
  const figure = (name: string, replicas: string, stages: string) =>
    `<figure class=chart wide><figcaption>${name}</figcaption><div class=replicas>${replicas}</div>` +
    "<p class=note>MB = 1e6 bytes. Groups: TP {0,1} (all-reduce in every layer); " +
    `PP ${stages} (hidden states); DP {0} (nothing)</p></figure>`;
  assertEquals(views, [
    figure(
      "a: TP 2 x PP 1 x DP 1",
      replica(0, stage(0, "0-3", rank(0) + rank(1, 1)) + stage(1, "4-7", rank(2))) +
        replica(1, stage(0, "0-3", rank(3))),
      "{0} {1}",
    ),
    figure("a: TP 2 x PP 1 x DP 9", replica(0, stage(0, "0-3", rank(4))), "{0}"),
  ]);
  assertEquals(layoutView(pageOf([runOf("a")])), []);
});

const SCHEDULE = {
  ...{ tensor_parallel_size: "1", pipeline_parallel_size: "2", data_parallel_size: "1" },
  ...{ status: "ok", schedule: "step", max_concurrent_batches: "1", admission: "greedy" },
  ...{ head_exchange: "all_gather", sliced_sends: "false", output_tokens_per_s: "50" },
  ...{ speedup_vs_step: "1", busy_pct: "40", transfer_pct: "30", host_gap_pct: "15" },
  ...{ imbalance_pct: "10", fill_drain_pct: "5", samples: "8", clock: "host" },
};

Deno.test("schedules are bars of tokens a second by layout, and shares of time", () => {
  const rows = rowsLike([
    SCHEDULE,
    { ...SCHEDULE, ...{ schedule: "queue", sliced_sends: "true", output_tokens_per_s: "200" } },
    { ...SCHEDULE, ...{ pipeline_parallel_size: "1", head_exchange: "argmax" } },
    { ...SCHEDULE, status: "wrong", output_tokens_per_s: "999" },
    { ...SCHEDULE, output_tokens_per_s: "0" },
  ]);
  const picked: unknown[] = [];
  const onPick = (row: unknown) => picked.push(row);
  const views = (runs = [runOf("run")]) =>
    scheduleCharts(rows, { data: pageOf(runs), onPick }).map(fake);
  const [view] = views();
  const share = (name: string, percent: number) => `<span class=${name} width=${percent}%></span>`;
  const line = (words: string, percent: number, speed: number) =>
    `<tr tabindex=0><th scope=row>${words}</th>` +
    `<td><div class=rail><div class=speed width=${percent}%></div></div>${speed}</td>` +
    "<td><div class=stack title=busy 40 %, transfer 30 %, host_gap 15 %, imbalance 10 %, " +
    `fill_drain 5 %>${share("busy", 40)}${share("transfer", 30)}${share("host_gap", 15)}` +
    `${share("imbalance", 10)}${share("fill_drain", 5)}</div></td><td>1</td></tr>`;
  const group = (layout: string) =>
    `<tr class=group><th colspan=4 scope=rowgroup>${layout}</th></tr>`;
  const key = (name: string, words = name) =>
    `<li><span class=key ${name} aria-hidden=true></span> ${words}</li>`;
  assertEquals(
    view!.html,
    "<figure class=chart wide><figcaption>Tokens a second, and where the ranks' time went" +
      "</figcaption><table class=bars><thead><tr><th scope=col>schedule</th>" +
      "<th scope=col>output tokens/s</th><th scope=col>share of all ranks' wall time</th>" +
      `<th scope=col>x step</th></tr></thead><tbody>${group("TP 1 x PP 2 x DP 1")}${
        line("step, depth 1, greedy", 25, 50)
      }${line("queue, depth 1, greedy, sliced sends", 100, 200)}${group("TP 1 x PP 1 x DP 1")}${
        line("step, depth 1, greedy, argmax", 25, 50)
      }</tbody></table><ul class=legend>${key("busy")}${key("transfer")}${
        key("host_gap", "host gap")
      }${key("imbalance")}${key("fill_drain", "fill drain")}</ul><p class=note>host clock; ` +
      "medians of n = 8 to 8 samples; n counts steps, tokens/s is of the median repetition</p>" +
      "</figure>",
  );
  const lines = view!.all("tbody")[0]!.all("tr");
  lines.forEach((line) => line.fire("click"));
  assertEquals(picked, rows.slice(0, 3));
  const named = views([runOf("run"), runOf("other")])[0]!.all("tbody")[0]!.all("tr");
  assertEquals(named[1]!.all("th")[0]!.textContent, "step, depth 1, greedy, run");
  assertEquals(scheduleCharts(rows.slice(3), { data: pageOf([]), onPick }).map(html), [
    "<p class=quiet>Nothing to show.</p>",
  ]);
});
