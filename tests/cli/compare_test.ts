import { assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "@cliffy/command";
import { COMPARE_OPTIONS, reported, type Settings, settingsOf } from "../../cli/compare.ts";
import { z } from "zod";
import { comparisonCsv } from "../../report/compare_csv.ts";
import {
  comparisonMarkdown,
  comparisonSummary,
  comparisonText,
} from "../../report/compare_text.ts";
import type { Comparison } from "../../report/comparison.ts";
import type { ComparedRow } from "../../report/judge_row.ts";
import { ComparisonError } from "../../report/run_differences.ts";
import { inFolder } from "../in_folder.ts";

/** Settings of a command line's options, as they are parsed. */
const settings = (options: z.input<z.ZodObject<typeof COMPARE_OPTIONS>> = {}) =>
  settingsOf(z.object(COMPARE_OPTIONS).parse(options));

const ROW: ComparedRow = {
  suite: "kernels",
  row_key: "k1",
  label: "ffn",
  verdict: "same",
  reason: "",
  is_regression: false,
  ratio: 1,
  ratio_low: 0.9,
  ratio_high: 1.1,
  ratio_of_machine: null,
  p: 1,
  p_rounds: 1,
  scatter_pct: 5,
  scatter_from: "default floor",
  baseline_us: 10,
  candidate_us: 10,
  samples: [5, 5],
  rounds: [5, 5],
  runs: [1, 1],
  warning: "",
};

function comparison(rows: readonly Partial<ComparedRow>[], incomplete: readonly string[] = []) {
  return {
    baseline: "a",
    candidate: "b",
    threshold_pct: 3,
    rows: rows.map((row) => ({ ...ROW, ...row })),
    missing: [],
    added: [],
    geometric_mean: 1,
    machine_ratio: null,
    without_floor: 0,
    without_samples: false,
    incomplete,
  } satisfies Comparison;
}

/** The exit status of a comparison, and what it says. */
function told(
  compare: () => Comparison,
  asked: Settings & { readonly out?: string } = settings(),
) {
  const { log, error } = console;
  const lines: { readonly stdout: string[]; readonly stderr: string[] } = {
    stdout: [],
    stderr: [],
  };
  console.log = (text: string) => void lines.stdout.push(text);
  console.error = (text: string) => void lines.stderr.push(text);
  try {
    return { status: reported(asked, compare), ...lines };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("a comparison is asked for within 3 %, as text, of all rows that changed, and nothing allowed", () => {
  assertEquals(settings(), {
    thresholdPct: 3,
    allow: [],
    passIncomplete: false,
    filter: undefined,
    format: "text",
    all: false,
  });
  const asked = settings({
    threshold: 5,
    allow: "deno,incomplete,cpu",
    filter: "^ffn",
    format: "csv",
    all: true,
  });
  assertEquals(asked, {
    thresholdPct: 5,
    allow: ["cpu", "deno"],
    passIncomplete: true,
    filter: /^ffn/,
    format: "csv",
    all: true,
  });
  assertEquals(settings({ json: true, format: "md" }).format, "json");
  assertEquals(settings({ json: false, format: "md" }).format, "md");
  assertThrows(() => settings({ threshold: 100 }), ValidationError, '--threshold "100"');
  assertThrows(() => settings({ allow: "deno,x" }), ValidationError, '--allow "x"');
});

Deno.test("a regression is status 4, a comparison that is not whole 5, one without any time 5", () => {
  const statusOf = (one: Comparison, asked = settings()) => told(() => one, asked).status;
  const regression = { is_regression: true };
  assertEquals(statusOf(comparison([{}])), 0);
  assertEquals(statusOf(comparison([{}, regression])), 4);
  assertEquals(statusOf(comparison([regression], ["1 row is missing"])), 4);
  assertEquals(statusOf(comparison([{}], ["1 row is missing"])), 5);
  assertEquals(statusOf(comparison([{ ratio: null }])), 5);
  assertEquals(statusOf(comparison([{ ratio: null }, {}])), 0);
  assertEquals(statusOf(comparison([])), 5);
  const pass = settings({ allow: "incomplete" });
  assertEquals(statusOf(comparison([{}], ["1 row is missing"]), pass), 0);
  assertEquals(statusOf(comparison([{ ratio: null }], []), pass), 5);
});

Deno.test("what keeps a comparison from being whole is told on stderr, unless it is allowed", () => {
  const one = comparison([{}], ["2 rows are missing", "3 rows changed"]);
  assertEquals(told(() => one).stderr, [
    "error: Cannot vouch for it: 2 rows are missing; --allow incomplete lets it pass",
    "error: Cannot vouch for it: 3 rows changed; --allow incomplete lets it pass",
  ]);
  assertEquals(told(() => one, settings({ allow: "incomplete" })).stderr, []);
});

Deno.test("a comparison is printed in the format that was asked for", () => {
  const one = comparison([{}, { verdict: "slower", ratio: 2 }]);
  const printed = (options: Parameters<typeof settings>[0]) =>
    told(() => one, settings(options)).stdout;
  assertEquals(printed({}), [comparisonText(one, { all: false })]);
  assertEquals(printed({ all: true }), [comparisonText(one, { all: true })]);
  assertEquals(printed({ format: "md" }), [comparisonMarkdown(one)]);
  assertEquals(printed({ format: "csv" }), [comparisonCsv(one).trimEnd()]);
  assertEquals(printed({ json: true }), [JSON.stringify(one, null, 2)]);
});

Deno.test("a comparison that goes to a file leaves its summary and the path on stdout", () =>
  inFolder((folder) => {
    const one = comparison([{}]);
    const out = `${folder}/compared.md`;
    const { status, stdout } = told(() => one, { ...settings({ format: "md" }), out });
    assertEquals([status, stdout], [0, [`${comparisonSummary(one)}\n${out}`]]);
    assertEquals(Deno.readTextFileSync(out), `${comparisonMarkdown(one)}\n`);
  }));

Deno.test("runs of another kind are status 5 and a line a difference; no rows are bad usage", () => {
  const differences = new Map([["cpu", 'cpu_model "a" against "b"'], ["deno", "c"]] as const);
  const other = told(() => {
    throw new ComparisonError(differences);
  });
  assertEquals(other, {
    status: 5,
    stdout: [],
    stderr: [
      'error: Cannot compare: cpu_model "a" against "b"; --allow cpu compares all the same',
      "error: Cannot compare: c; --allow deno compares all the same",
    ],
  });
  const failing = (error: Error) => () =>
    told(() => {
      throw error;
    });
  assertThrows(failing(new RangeError("there are none")), ValidationError, "there are none");
  assertThrows(failing(new TypeError("oh")), TypeError, "oh");
});
