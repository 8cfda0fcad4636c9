import { csvHeader, csvLines } from "../../records/rows/csv_text.ts";
import { type Cells, formatCell } from "../../records/rows/column.ts";
import { deriveRows, type SampledRow } from "../../records/rows/derive_rows.ts";
import { columnsOf } from "../../records/rows/row.ts";
import { type Suite, SUITES } from "../../records/rows/suite.ts";
import {
  configurationHash,
  type Manifest,
  manifestText,
} from "../../records/run_folder/manifest.ts";
import { fieldsOfParts, type RunPart } from "../../records/run_folder/run_part.ts";
import { type RunFiles, sealOf } from "../../records/run_folder/run_files.ts";
import { hashRecord } from "../../records/run_folder/sample_record.ts";
import golden from "../records/golden_rows.json" with { type: "json" };

const MODEL = { hidden: 64, layers: 1 };
const CONFIGURATION = { name: "small", model: "../small.json", seed: 0, modes: ["hot"] };

/** Of a run that was cut off once. */
const PARTS: readonly RunPart[] = [
  {
    started_at: "2026-01-01T00:00:00.000Z",
    environment: { commit: { id: "abc", dirty: null }, logical_cores: 2, argv: ["run"] },
    adapter: { name: "an adapter", type: "software", limits: { maxBindGroups: 8 } },
    selection: { suites: ["kernels", "schedules"], filter: null },
    shaders: { "add/naive": "def" },
  },
  {
    started_at: "2026-01-01T01:00:00.000Z",
    environment: {
      commit: { id: "abc", dirty: null },
      logical_cores: 2,
      argv: ["run", "--resume"],
    },
    adapter: { name: "an adapter", type: "software", limits: { maxBindGroups: 8 } },
    selection: { suites: ["kernels", "collectives", "schedules"], filter: null },
    ceilings: { copyGbytesPerS: 12.5, multiplyAddGflops: 90 },
    canary_us: 110,
    canary_readings_us: [[90, 10], [100, 10], [120, 12]],
    shaders: { "gemm/naive": "abc" },
    ended_at: "2026-01-01T02:00:00.000Z",
  },
];

const MANIFEST: Manifest = {
  schema_version: 2,
  run_id: "small-1",
  started_at: "2026-01-01T00:00:00.000Z",
  configuration: CONFIGURATION,
  configuration_hash: configurationHash({ document: CONFIGURATION, model: MODEL }),
  model: MODEL,
  ...fieldsOfParts(PARTS),
  parts: [...PARTS],
  interrupted: false,
};

/** Texts of the files that only hashes cover. */
const OTHERS = {
  "links.csv": "transport,alpha_us\r\nworkers,1.5\r\n",
  "ranks.csv": "rank,first_layer\r\n0,0\r\n1,1\r\n",
  "pipeline_a.csv": "0F0,0F1\r\n,1F0\r\n",
  "timeline.json": '{"traceEvents":[{"ts":1}]}\n',
  "report.html": "<p>12.5</p>\n",
};

/** Texts of a folder's files, by name. */
export type Texts = Readonly<Record<string, string>>;

/** A folder in memory. */
export function filesOf(texts: Texts): RunFiles {
  const bytes = Object.entries(texts).map(([name, text]) =>
    [name, new TextEncoder().encode(text)] as const
  );
  return { path: "small", bytes: new Map(bytes) };
}

/** Texts with a manifest that has their hashes and rows; fields of it may be changed. */
export function sealed(texts: Texts, fields: Partial<Manifest> = {}): Texts {
  const manifest = { ...MANIFEST, ...sealOf(filesOf(texts)), ...fields };
  return { ...texts, "manifest.json": manifestText(manifest) };
}

/** The files of a small finished run: a few rows of every suite with their samples. */
export function smallRun(): Texts {
  const files: Record<string, string> = { ...OTHERS };
  const lines: string[] = [];
  for (const suite of SUITES) {
    const rows = deriveRows(suite, measuredRows(suite));
    files[`${suite}.csv`] = csvHeader(columnsOf(suite)) +
      csvLines(columnsOf(suite), rows.map(({ row }) => row));
    lines.push(...rows.map((one) => recordLine(suite, one)));
  }
  return sealed({ ...files, "samples.jsonl": lines.join("") });
}

/** The line of samples.jsonl of a row. */
function recordLine(
  suite: Suite,
  { row, series, facts }: SampledRow<Cells>,
): string {
  const cells = Object.fromEntries(
    columnsOf(suite).map(({ header }) => [header, formatCell(row[header])]),
  );
  const record = { row_key: String(row["row_key"]), series, facts, row: cells };
  return `${JSON.stringify({ ...record, hash: hashRecord(record) })}\n`;
}

function measuredRows(suite: Suite): readonly SampledRow<Cells>[] {
  const rows = golden[suite] as unknown as readonly SampledRow<Cells>[];
  return rows.map(({ row, series, facts }) => ({
    row: {
      ...row,
      schema_version: 2,
      run_id: "small-1",
      adapter: "an adapter",
      adapter_type: "software",
    } as Cells,
    series,
    facts,
  }));
}
