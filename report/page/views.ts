import { chart, type Point, type Series } from "./chart.ts";
import {
  crossovers,
  isRight,
  num,
  type PageData,
  rooflinePoint,
  type Row,
  rowsOf,
  short,
} from "./data.ts";
import { h } from "./dom.ts";

/** What views call when a row is chosen. */
export type Pick = (row: Row) => void;

/** Draws the charts of a suite from the rows that pass the filters. */
export type Charts = (rows: readonly Row[], pick: Pick, data: PageData) => readonly HTMLElement[];

function seriesBy(
  rows: readonly Row[],
  name: (row: Row) => string,
  point: (row: Row) => Omit<Point, "row">,
) {
  const groups = Map.groupBy(rows, name);
  return [...groups].map(([key, members]): Series => ({
    name: key,
    how: "both",
    points: members.map((row) => ({ ...point(row), row }))
      .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && x > 0 && y > 0)
      .sort((a, b) => a.x - b.x),
  }));
}

function sampleNote(rows: readonly Row[]): string {
  const counts = rows.map((row) => num(row, "samples")).filter((n) => n > 0);
  const clocks = [...new Set(rows.map((row) => row.cells["clock"]).filter((clock) => clock))];
  const n = counts.length === 0 ? "none" : `${Math.min(...counts)} to ${Math.max(...counts)}`;
  return `${clocks.join(" and ")} clock; medians of n = ${n} samples`;
}

/** What hovering says of a row. */
export function describe(row: Row): readonly string[] {
  const { cells } = row;
  const what = cells["schedule"]
    ? `${cells["schedule"]} tp=${cells["tensor_parallel_size"]} pp=${
      cells["pipeline_parallel_size"]
    } dp=${cells["data_parallel_size"]} depth=${cells["max_concurrent_batches"]} ${
      cells["admission"] ?? ""
    }`
    : `${cells["op"]} ${cells["variant"] ?? cells["algorithm"] ?? ""} ${cells["transport"] ?? ""} ${
      cells["memory"] ?? ""
    } ${
      cells["tokens"]
        ? `tokens=${cells["tokens"]}`
        : cells["message_bytes"]
        ? `${cells["message_bytes"]} B`
        : ""
    }`;
  return [
    what,
    `${short(num(row, "time_us_median"))} us, 95 % interval ${
      short(num(row, "time_us_ci_low"))
    } to ${short(num(row, "time_us_ci_high"))}`,
    `min ${short(num(row, "time_us_min"))}, p95 ${short(num(row, "time_us_p95"))} us, noise ${
      short(num(row, "noise_pct"))
    } %`,
    `n = ${cells["samples"] ?? "?"}, ${cells["clock"] ?? ""} clock; click for the samples`,
  ];
}

/** Kernels: roofline, rate by tokens, speed-up by shard size. */
export const kernelCharts: Charts = (rows, onPick, data) => {
  const right = rows.filter(isRight);
  const note = sampleNote(right);
  const common = { note, onPick, describe };
  const roof = seriesBy(right, (r) => r.cells["op"] ?? "", (r) => {
    const [x, y] = rooflinePoint(r) ?? [NaN, NaN];
    return { x, y };
  }).map((s): Series => ({ ...s, how: "points" }));
  const xs = roof.flatMap(({ points }) => points.map(({ x }) => x));
  const limits = data.runs.flatMap(({ ceilings, name }): Series[] => {
    if (!ceilings || xs.length === 0) return [];
    const knee = ceilings.gflops / ceilings.gbytes;
    const low = Math.min(...xs, knee / 4);
    const high = Math.max(...xs, knee * 4);
    const at = (x: number) => ({ x, y: Math.min(ceilings.gflops, x * ceilings.gbytes) });
    const label = data.runs.length > 1 ? `measured ceilings, ${name}` : "measured ceilings";
    return [{ name: label, how: "line", points: [at(low), at(knee), at(high)] }];
  });
  const named = (r: Row) =>
    `${r.cells["op"]} ${r.cells["variant"]} tp=${r.cells["tensor_parallel_size"]}`;
  return [
    chart([...limits, ...roof], {
      ...common,
      title: "Roofline",
      x: "flop / byte",
      y: "GFLOP/s",
      logX: true,
      logY: true,
    }),
    chart(seriesBy(right, named, (r) => ({ x: num(r, "tokens"), y: num(r, "time_us_median") })), {
      ...common,
      title: "Time by tokens",
      x: "tokens",
      y: "us",
      logX: true,
      logY: true,
    }),
    chart(
      seriesBy(right, named, (r) => ({ x: num(r, "tokens"), y: num(r, "rate_gbytes_per_s") })),
      {
        ...common,
        title: "Bandwidth by tokens",
        x: "tokens",
        y: "GB/s (1e9)",
        logX: true,
      },
    ),
    chart(
      seriesBy(
        right,
        (r) => `${r.cells["op"]} ${r.cells["variant"]} tokens=${r.cells["tokens"]}`,
        (r) => ({ x: num(r, "tensor_parallel_size"), y: num(r, "speedup_vs_naive") }),
      ),
      {
        ...common,
        title: "Speed-up over naive by shard size",
        x: "tensor parallel size",
        y: "times naive",
      },
    ),
  ];
};

/** Collectives: latency and bus bandwidth by size, with the fitted link. */
export const collectiveCharts: Charts = (rows, onPick, data) => {
  const right = rows.filter(isRight);
  const groups = Map.groupBy(
    right,
    (r) =>
      `${r.cells["op"]}, ${r.cells["transport"]}, ${r.cells["memory"]}, ${
        r.cells["logical_ranks"]
      } ranks`,
  );
  const links = rowsOf(data, "links").rows;
  return [...groups].flatMap(([name, members]) => {
    const common = { note: sampleNote(members), onPick, describe, x: "message bytes", logX: true };
    const by = (column: string) =>
      seriesBy(members, (r) => r.cells["algorithm"] ?? "", (r) => ({
        x: num(r, "message_bytes"),
        y: num(r, column),
      }));
    const [first] = members;
    const link = links.find((l) =>
      ["transport", "memory"].every((key) => l.cells[key] === first!.cells[key]) &&
      l.cells["ranks"] === first!.cells["logical_ranks"]
    );
    const sizes = [...new Set(members.map((r) => num(r, "message_bytes")))].sort((a, b) => a - b);
    const fit: Series[] = link
      ? [{
        name: "alpha + size / beta of one send",
        how: "line",
        points: sizes.map((x) => ({
          x,
          y: num(link, "alpha_us") + x / num(link, "bandwidth_gbytes_per_s") / 1e3,
        })),
      }]
      : [];
    const crossing = crossovers(
      members.filter((r) => r.cells["algorithm"] !== "auto").map((r) => ({
        size: num(r, "message_bytes"),
        algorithm: r.cells["algorithm"] ?? "",
        us: num(r, "time_us_median"),
      })),
    ).map(({ from, to, algorithms: [a, b] }) =>
      `${a} is fastest up to ${from} B, ${b} from ${to} B`
    );
    return [
      chart([...by("time_us_median"), ...fit], {
        ...common,
        note: [common.note, ...crossing].join("; "),
        title: `${name}: latency`,
        y: "us",
        logY: true,
      }),
      chart(by("busbw_gbytes_per_s"), {
        ...common,
        title: `${name}: bus bandwidth`,
        y: "GB/s (1e9)",
        logY: true,
      }),
    ];
  });
};

const SHARES = ["busy", "transfer", "host_gap", "imbalance", "fill_drain"] as const;

/** Schedules: tokens a second beside each other, and where the time went. */
export const scheduleCharts: Charts = (rows, onPick, data) => {
  const right = rows.filter(isRight).filter((r) => num(r, "output_tokens_per_s") > 0);
  if (right.length === 0) return [h("p", { class: "quiet" }, "Nothing to show.")];
  const most = Math.max(...right.map((r) => num(r, "output_tokens_per_s")));
  const layouts = Map.groupBy(
    right,
    (r) =>
      `TP ${r.cells["tensor_parallel_size"]} x PP ${r.cells["pipeline_parallel_size"]} x DP ${
        r.cells["data_parallel_size"]
      }`,
  );
  const lines = [...layouts].flatMap(([layout, members]) => [
    h("tr", { class: "group" }, h("th", { colspan: 4, scope: "rowgroup" }, layout)),
    ...members.map((row) => {
      const { cells } = row;
      const bar = h("div", { class: "speed" });
      bar.style.width = `${100 * num(row, "output_tokens_per_s") / most}%`;
      const stack = h(
        "div",
        {
          class: "stack",
          title: SHARES.map((s) => `${s} ${short(num(row, `${s}_pct`))} %`).join(", "),
        },
        SHARES.map((share) => {
          const part = h("span", { class: share });
          part.style.width = `${num(row, `${share}_pct`)}%`;
          return part;
        }),
      );
      const words = [
        cells["schedule"],
        `depth ${cells["max_concurrent_batches"]}`,
        cells["admission"] ?? "",
        cells["head_exchange"] === "all_gather" ? "" : cells["head_exchange"] ?? "",
        cells["sliced_sends"] === "true" ? "sliced sends" : "",
        data.runs.length > 1 ? row.run.name : "",
      ].filter((word) => word !== "").join(", ");
      return h(
        "tr",
        {
          tabindex: 0,
          onclick: () => onPick(row),
          onkeydown: (event) => (event as KeyboardEvent).key === "Enter" && onPick(row),
        },
        h("th", { scope: "row" }, words),
        h("td", {}, h("div", { class: "rail" }, bar), `${short(num(row, "output_tokens_per_s"))}`),
        h("td", {}, stack),
        h("td", {}, `${short(num(row, "speedup_vs_step"))}`),
      );
    }),
  ]);
  return [
    h(
      "figure",
      { class: "chart wide" },
      h("figcaption", {}, "Tokens a second, and where the ranks' time went"),
      h(
        "table",
        { class: "bars" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["schedule", "output tokens/s", "share of all ranks' wall time", "x step"]
              .map((title) => h("th", { scope: "col" }, title)),
          ),
        ),
        h("tbody", {}, lines),
      ),
      h(
        "ul",
        { class: "legend" },
        SHARES.map((share) =>
          h(
            "li",
            {},
            h("span", { class: `key ${share}`, "aria-hidden": "true" }),
            ` ${share.replace("_", " ")}`,
          )
        ),
      ),
      h(
        "p",
        { class: "note" },
        `${sampleNote(right)}; n counts steps, tokens/s is of the median repetition`,
      ),
    ),
  ];
};

/** Layouts: the rank table as boxes, by replica, stage and tensor parallel rank. */
export function layoutView(data: PageData): readonly HTMLElement[] {
  const { rows } = rowsOf(data, "ranks");
  const key = (r: Row) =>
    `${r.run.name}: TP ${r.cells["tensor_parallel_size"]} x PP ${
      r.cells["pipeline_parallel_size"]
    } x DP ${r.cells["data_parallel_size"]}`;
  return [...Map.groupBy(rows, key)].map(([name, ranks]) => {
    const megabytes = (row: Row, what: string) => short(num(row, what) / 1e6);
    const replicas = Map.groupBy(ranks, (r) => r.cells["data_parallel_rank"]!);
    const groups = (column: string) =>
      [...new Set(ranks.map((r) => `{${(r.cells[column] ?? "").replaceAll(" ", ",")}}`))].join(" ");
    return h(
      "figure",
      { class: "chart wide" },
      h("figcaption", {}, name),
      h(
        "div",
        { class: "replicas" },
        [...replicas].map(([replica, members]) =>
          h(
            "div",
            { class: "replica" },
            h("h4", {}, `replica ${replica}`),
            [...Map.groupBy(members, (r) => r.cells["pipeline_parallel_rank"]!)].map((
              [stage, tpRanks],
            ) =>
              h(
                "div",
                { class: "stage" },
                h(
                  "div",
                  { class: "quiet" },
                  `stage ${stage}, layers ${tpRanks[0]!.cells["first_layer"]}-${
                    tpRanks[0]!.cells["last_layer"]
                  }`,
                ),
                h(
                  "div",
                  { class: "ranks" },
                  tpRanks.map((r) =>
                    h(
                      "div",
                      { class: "rank" },
                      h("b", {}, `rank ${r.cells["rank"]}`),
                      h(
                        "div",
                        {},
                        `tp ${r.cells["tensor_parallel_rank"]}: ${r.cells["query_heads"]} q, ${
                          r.cells["kv_heads"]
                        } kv heads`,
                      ),
                      h("div", {}, `vocab ${r.cells["vocab_start"]}-${r.cells["vocab_end"]}`),
                      h(
                        "div",
                        {},
                        `weights ${megabytes(r, "weight_bytes_predicted")} MB predicted, ${
                          megabytes(r, "weight_bytes_allocated") || "-"
                        } allocated`,
                      ),
                      h(
                        "div",
                        {},
                        `KV cache ${megabytes(r, "kv_cache_bytes_predicted")} MB predicted, ${
                          megabytes(r, "kv_cache_bytes_allocated") || "-"
                        } allocated`,
                      ),
                    )
                  ),
                ),
              )
            ),
          )
        ),
      ),
      h(
        "p",
        { class: "note" },
        `MB = 1e6 bytes. Groups: TP ${
          groups("tensor_parallel_group")
        } (all-reduce in every layer); PP ${
          groups("pipeline_parallel_group")
        } (hidden states); DP ${groups("data_parallel_group")} (nothing)`,
      ),
    );
  });
}

/** Plan against measurement: both in tokens a second, a point a layout. */
export const planCharts: Charts = (rows, onPick) => {
  const both = rows.filter((r) => num(r, "measured_output_tokens_per_s") > 0);
  const points = both.map((row) => ({
    x: num(row, "predicted_output_tokens_per_s"),
    y: num(row, "measured_output_tokens_per_s"),
    row,
  }));
  const most = Math.max(1, ...points.flatMap(({ x, y }) => [x, y]));
  return [chart([
    { name: "layouts", how: "points", points },
    {
      name: "as predicted",
      how: "line",
      points: points.length > 0 ? [{ x: most / 1e3, y: most / 1e3 }, { x: most, y: most }] : [],
    },
  ], {
    title: "Plan against measurement",
    x: "predicted tokens/s",
    y: "measured tokens/s",
    note: `${both.length} of ${rows.length} layouts were measured`,
    onPick,
    describe: (row) => [
      `tp=${row.cells["tensor_parallel_size"]} pp=${row.cells["pipeline_parallel_size"]} dp=${
        row.cells["data_parallel_size"]
      } ${row.cells["schedule"]}`,
      `predicted ${row.cells["predicted_output_tokens_per_s"]}, measured ${
        row.cells["measured_output_tokens_per_s"]
      } tokens/s, error ${row.cells["error_pct"]} %`,
      row.cells["why"] ?? "",
    ],
  })];
};

/** A column over runs in time, a line a row key. */
export function history(data: PageData, pick: Pick): HTMLElement {
  const suites = ["kernels", "collectives", "schedules"].filter((s) =>
    data.runs.some((run) => run.tables[s])
  );
  const box = h("div", {});
  const suite = h("select", { "aria-label": "suite" }, suites.map((s) => h("option", {}, s)));
  const column = h("select", { "aria-label": "column" });
  const draw = () => {
    const { rows } = rowsOf(data, suite.value);
    const keys = Map.groupBy(rows.filter(isRight), (r) => r.cells["row_key"] ?? "");
    const often = [...keys.values()].filter((members) => members.length > 1);
    const series = often.map((members): Series => ({
      name: describe(members[0]!)[0]!,
      how: "both",
      points: members.map((row) => ({
        x: 1 + data.runs.indexOf(row.run),
        y: num(row, column.value),
        row,
      }))
        .filter(({ y }) => Number.isFinite(y)),
    }));
    box.replaceChildren(chart(series, {
      title: `${column.value} over runs`,
      x: "run, oldest first",
      y: column.value,
      logY: true,
      note: `${often.length} rows that several runs have: ${
        data.runs.map((r, i) => `${i + 1} = ${r.started}`).join(", ")
      }`,
      onPick: pick,
      describe,
    }));
  };
  const fill = () => {
    const { headers, rows } = rowsOf(data, suite.value);
    const numeric = headers.filter((header) => rows.some((row) => num(row, header) > 0));
    column.replaceChildren(...numeric.map((header) => h("option", {}, header)));
    column.value = numeric.includes("time_us_median") ? "time_us_median" : numeric[0] ?? "";
    draw();
  };
  suite.addEventListener("change", fill);
  column.addEventListener("change", draw);
  if (suites.length > 0) fill();
  return h("section", {}, h("div", { class: "bar" }, suite, column), box);
}
