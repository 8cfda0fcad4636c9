/** What the dashboard's page carries of runs. */

import { basename, join, resolve } from "node:path";
import { readRows } from "../records/files/csv_rows.ts";
import { exists } from "../records/files/exists.ts";
import { columnsOf, label } from "../records/rows/row.ts";
import { DRIFT_PCT, NOISY_PCT } from "../records/rows/row_warning.ts";
import { SUITES } from "../records/rows/suite.ts";
import { type LoadedRun, loadRun } from "../records/run_folder/load_run.ts";
import { readTraceEvents, type TraceEvent } from "../records/run_folder/trace_events.ts";
import type { PageData, PageRun, PageSeries, PageTable, PageTimeline } from "./page/data.ts";

/** Samples of a series that the page carries at most. */
const MAX_SAMPLES = 200;
/** Spans of a case's timeline that the page carries at most. */
const MAX_SPANS = 20_000;
/** What ranks do, in the order of the page's colours: the same ones in every case. */
const KINDS: readonly string[] = [
  "compute",
  "all_reduce",
  "receive",
  "all_gather",
  "send",
  "argmax",
  "gather",
];

/** Reads run folders, oldest first. FileError where one is none, or a file of it is damaged. */
export function pageData(paths: readonly string[]): PageData {
  const runs = paths.map(pageRun).sort((a, b) => a.started < b.started ? -1 : 1);
  const columns = Object.fromEntries(
    SUITES.map((suite) => [
      suite,
      Object.fromEntries(
        columnsOf(suite).map(({ header, unit, meaning }) => [header, [unit, meaning] as const]),
      ),
    ]),
  );
  return { runs, columns };
}

function pageRun(path: string): PageRun {
  const run = loadRun(path);
  const tables: Record<string, PageTable> = {};
  for (const { suite, headers, rows } of run.suites) {
    tables[suite] = {
      headers,
      rows: rows.map((row) => headers.map((header) => row[header] ?? "")),
      labels: rows.map((row) => label(suite, row)),
    };
  }
  for (const name of ["ranks", "links", "plan"]) {
    const file = join(path, `${name}.csv`);
    if (!exists(file)) continue;
    const { headers, rows } = readRows(file);
    tables[name] = { headers, rows: rows.map((row) => headers.map((header) => row[header] ?? "")) };
  }
  const manifest = Object(run.manifest);
  const ceilings = Object(manifest.ceilings);
  return {
    name: String(manifest.run_id ?? basename(resolve(path))),
    started: String(manifest.started_at ?? ""),
    about: about(manifest),
    warnings: warnings(run),
    ceilings: ceilings.multiplyAddGflops > 0
      ? { gflops: ceilings.multiplyAddGflops, gbytes: ceilings.copyGbytesPerS }
      : null,
    tables,
    samples: Object.fromEntries(
      [...run.samples].map(([key, { series }]) => [
        key,
        Object.fromEntries(
          Object.entries(series).filter(([, values]) => values.length > 0)
            .map(([name, values]) => [name, someOf(values)]),
        ),
      ]),
    ),
    timelines: timelines(join(path, "timeline.json")),
  };
}

function about(
  manifest: Readonly<Record<string, unknown>>,
): readonly (readonly [string, string])[] {
  const environment = Object(manifest["environment"]);
  const adapter = Object(manifest["adapter"]);
  const configuration = Object(manifest["configuration"]);
  const ceilings = Object(manifest["ceilings"]);
  const commit = Object(environment.commit);
  const digits = (value: unknown) =>
    typeof value === "number" ? String(Number(value.toPrecision(4))) : "";
  const lines: readonly (readonly [string, string])[] = [
    ["configuration", String(configuration.name ?? "")],
    ["model", String(configuration.model ?? "").replace(/^.*\/(?=[^/]+$)/, "")],
    ["weights", String(configuration.dtype ?? "")],
    ["adapter", `${adapter.name ?? "unknown"} (${adapter.type ?? "unknown"})`],
    [
      "ceilings measured",
      ceilings.copyGbytesPerS === undefined
        ? ""
        : `${digits(ceilings.multiplyAddGflops)} GFLOP/s, ${digits(ceilings.copyGbytesPerS)} GB/s`,
    ],
    ["CPU", `${environment.cpu_model ?? "unknown"}, ${environment.logical_cores ?? "?"} cores`],
    [
      "system",
      environment.os === undefined
        ? ""
        : `${environment.os} ${environment.os_release}, ${environment.architecture}`,
    ],
    ["load at the start", [environment.load_average ?? []].flat().map(digits).join(", ")],
    ["Deno", String(environment.deno_version ?? "")],
    [
      "suite",
      `${environment.suite_version ?? ""} ${String(commit.id ?? "").slice(0, 12)}`,
    ],
    ["canary", manifest["canary_us"] === undefined ? "" : `${digits(manifest["canary_us"])} us`],
  ];
  return lines.map(([name, value]) => [name, value.trim()] as const).filter(([, value]) => value);
}

function warnings({ suites, manifest }: LoadedRun): readonly string[] {
  const rows = suites.flatMap((suite) => suite.rows);
  const count = (of: (row: Readonly<Record<string, string>>) => boolean) => rows.filter(of).length;
  const said: string[] = [];
  const say = (n: number, text: string) =>
    n > 0 && said.push(`${n} ${n === 1 ? "row" : "rows"}: ${text}`);
  say(count((r) => r["status"] === "wrong"), "the check failed; struck out, and in no ranking");
  say(count((r) => r["status"] === "failed"), "not measured, see the reason");
  say(
    count((r) => r["adapter_type"] === "software"),
    "on a software adapter, no GPU was measured",
  );
  say(
    count((r) => r["oversubscribed"] === "true"),
    "more ranks than cores or adapters (oversubscribed)",
  );
  say(
    count((r) => Number(r["logical_ranks"]) > 1 && r["physical_adapters"] === "1"),
    "several ranks on one adapter",
  );
  say(
    count((r) => Math.abs(Number(r["canary_pct"])) > DRIFT_PCT),
    `the machine's speed was more than ${DRIFT_PCT} % off (canary)`,
  );
  say(count((r) => Number(r["noise_pct"]) > NOISY_PCT), `noise above ${NOISY_PCT} %`);
  if (manifest?.["interrupted"] === true) said.push("The run was interrupted.");
  const { parts = [] } = manifest ?? {};
  if (parts.length > 1) {
    said.push(
      `The run was resumed: rows of its ${parts.length} parts took no turns with each other.`,
    );
  }
  for (const others of parts.flatMap((part) => part.resumed_anyway ?? [])) {
    said.push(`A part was resumed though it differed: ${others}.`);
  }
  return said;
}

/** Evenly picked values, all where they are few. */
function someOf(values: readonly number[]): PageSeries {
  const count = Math.min(MAX_SAMPLES, values.length);
  const picked = Array.from(
    { length: count },
    (_, i) => values[Math.floor(i * values.length / count)]!,
  );
  return { count: values.length, values: picked.map((value) => Number(value.toPrecision(6))) };
}

/** The cases of a timeline.json; none where there is none. */
function timelines(path: string): readonly PageTimeline[] {
  if (!exists(path)) return [];
  const events = readTraceEvents(path);
  return [...Map.groupBy(events, ({ pid }) => pid)].map(([, own]) => pageTimeline(own));
}

function pageTimeline(events: readonly TraceEvent[]): PageTimeline {
  const named = (name: string) => events.filter((event) => event["name"] === name);
  const text = (event: TraceEvent | undefined) => String(event?.args?.["name"] ?? "");
  const threads = named("thread_name");
  const places = new Map(threads.map((thread, i) => [thread["tid"], i]));
  const spans = events.filter(({ ph }) => ph === "X");
  const others = spans.map(({ name }) => String(name)).filter((name) => !KINDS.includes(name));
  const kinds = [...KINDS, ...new Set(others)];
  const shown = spans.slice(0, MAX_SPANS);
  const round = (value: unknown) => Number(Number(value).toFixed(1));
  const ends = new Map(events.filter(({ ph }) => ph === "f").map((event) => [event["id"], event]));
  return {
    label: text(named("process_name")[0]),
    kinds,
    rows: threads.map((thread) => ({
      name: text(thread).replace(/: replica (\d+), stage (\d+), tp (\d+)$/, " dp$1 pp$2 tp$3"),
      spans: shown.filter(({ tid }) => tid === thread["tid"]).map((event) =>
        [
          round(event["ts"]),
          round(event["dur"]),
          kinds.indexOf(String(event["name"])),
          Number(Object(event["args"]).batch ?? 0),
        ] as const
      ),
    })),
    sends: events.filter(({ ph }) => ph === "s").flatMap((event) => {
      const end = ends.get(event["id"]);
      return end
        ? [
          [
            round(event["ts"]),
            places.get(event["tid"]) ?? 0,
            round(end["ts"]),
            places.get(end["tid"]) ?? 0,
          ] as const,
        ]
        : [];
    }),
    left: spans.length - shown.length,
  };
}
