/** What the page is given, and how it reads it. */

/** Rows of a file, cells as texts. */
export interface PageTable {
  readonly headers: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What each row of a suite is called. */
  readonly labels?: readonly string[];
}

/** A case of timeline.json: spans are [start us, duration us, kind, batch]. */
export interface PageTimeline {
  readonly label: string;
  readonly kinds: readonly string[];
  readonly rows: readonly {
    readonly name: string;
    readonly spans: readonly (readonly [number, number, number, number])[];
  }[];
  /** [from us, from row, to us, to row] of each send. */
  readonly sends: readonly (readonly [number, number, number, number])[];
  /** Spans of the file that are not shown. */
  readonly left: number;
}

/** Samples of a row: some of `count`, evenly picked. */
export interface PageSeries {
  readonly count: number;
  readonly values: readonly number[];
}

/** A run. */
export interface PageRun {
  readonly name: string;
  readonly started: string;
  readonly about: readonly (readonly [string, string])[];
  readonly warnings: readonly string[];
  readonly ceilings: { readonly gflops: number; readonly gbytes: number } | null;
  readonly tables: Readonly<Record<string, PageTable>>;
  readonly samples: Readonly<Record<string, Readonly<Record<string, PageSeries>>>>;
  readonly timelines: readonly PageTimeline[];
}

/** Everything. */
export interface PageData {
  readonly runs: readonly PageRun[];
  /** Unit and meaning of each column by suite. */
  readonly columns: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>;
}

/** A row with the run that it is of. */
export interface Row {
  readonly run: PageRun;
  readonly cells: Readonly<Record<string, string>>;
  /** What it is called; blank in files of no suite. */
  readonly label: string;
}

/** All rows of a file over all runs, and their headers. */
export function rowsOf(
  data: PageData,
  file: string,
): { readonly headers: readonly string[]; readonly rows: readonly Row[] } {
  const headers = [...new Set(data.runs.flatMap((run) => run.tables[file]?.headers ?? []))];
  const rows = data.runs.flatMap((run) => {
    const table = run.tables[file];
    return (table?.rows ?? []).map((cells, place): Row => ({
      run,
      label: table!.labels?.[place] ?? "",
      cells: Object.fromEntries(table!.headers.map((header, i) => [header, cells[i] ?? ""])),
    }));
  });
  return { headers, rows };
}

/** A cell as a text, blank where there is none; the run's name where the header is "run". */
export function cell(row: Row, header: string): string {
  return header === "run" ? row.run.name : row.cells[header] ?? "";
}

/** A cell as a number; NaN where it is blank or none. */
export function num(row: Row, header: string): number {
  const text = row.cells[header] ?? "";
  return text === "" ? NaN : Number(text);
}

/** Whether a row passed its check. */
export function isRight(row: Row): boolean {
  return row.cells["status"] === undefined || row.cells["status"] === "ok";
}

/** Whether a row failed its check. */
export function isWrong(row: Row): boolean {
  return row.cells["status"] === "wrong" || row.cells["status"] === "failed";
}

/** Three or four digits, and what is large in thousands. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e6)) {
    return value.toExponential(2);
  }
  return String(Number(value.toPrecision(4)));
}

/**
 * Whether a row passes filters: a text that the cell contains, or `=x`, `<n`, `>n`.
 */
export function passes(row: Row, filters: ReadonlyMap<string, string>): boolean {
  for (const [header, filter] of filters) {
    const text = cell(row, header);
    const [sign, rest] = [filter[0], filter.slice(1).trim()];
    if (
      sign === "=" ? text !== rest : sign === "<" || sign === ">"
        ? !(text !== "" &&
          (sign === "<" ? Number(text) < Number(rest) : Number(text) > Number(rest)))
        : !text.toLowerCase().includes(filter.toLowerCase())
    ) return false;
  }
  return true;
}

/** Where the faster one of two algorithms changes: the sizes between which it does. */
export function crossovers(
  times: readonly { readonly size: number; readonly algorithm: string; readonly us: number }[],
): readonly {
  readonly from: number;
  readonly to: number;
  readonly algorithms: readonly [string, string];
}[] {
  const best = new Map<number, { algorithm: string; us: number }>();
  for (const { size, algorithm, us } of times) {
    const known = best.get(size);
    if (!known || us < known.us) best.set(size, { algorithm, us });
  }
  const sizes = [...best.keys()].sort((a, b) => a - b);
  return sizes.slice(1).flatMap((to, i) => {
    const from = sizes[i]!;
    const [a, b] = [best.get(from)!.algorithm, best.get(to)!.algorithm];
    return a === b ? [] : [{ from, to, algorithms: [a, b] as const }];
  });
}

/** A point of a roofline: work a byte, and work a second. */
export function rooflinePoint(row: Row): readonly [intensity: number, gflops: number] | undefined {
  const [flops, bytes, rate] = ["flops", "bytes", "rate_gflops"].map((name) => num(row, name));
  return flops! > 0 && bytes! > 0 && rate! > 0 ? [flops! / bytes!, rate!] : undefined;
}
