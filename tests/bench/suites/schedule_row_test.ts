import { assert, assertEquals } from "@std/assert";
import type { CaseRepetitions } from "../../../bench/suites/schedules/measure_layouts.ts";
import {
  scheduleFacts,
  scheduleRow,
  unmeasuredRow,
} from "../../../bench/suites/schedules/schedule_row.ts";
import type { ScheduleKey } from "../../../records/rows/row.ts";
import { COMMON, CONTEXT } from "./row_context.ts";

const KEY = {
  suite: "schedules",
  tensor_parallel_size: 2,
  pipeline_parallel_size: 3,
  data_parallel_size: 4,
} as unknown as ScheduleKey;
const LAYOUT_CONTEXT = { ...CONTEXT, oversubscribed: true };
const NUMBERS = {
  weightBytes: 70,
  kvCacheBytes: 80,
  outputTokens: 90,
  idealUs: undefined,
  predicted: undefined,
  reference: { tokens: 7, mismatches: 0 },
};

Deno.test("a schedule's row counts collectives a group, sends and bytes of all ranks", () => {
  const reports = [
    { allReduces: 6, allGathers: 2, sends: 1, sentBytes: 100 },
    { allReduces: 8, allGathers: 4, sends: 2, sentBytes: 50 },
  ];
  const measured = { last: { reports }, mismatches: [0, 0], stopReason: "timeout", maxInFlight: 3 };
  const row = (changes: object, numbers: object = {}) =>
    scheduleRow({ ...measured, ...changes } as unknown as CaseRepetitions, KEY, {
      layout: { ...NUMBERS, ...numbers },
      context: LAYOUT_CONTEXT,
    });
  const right = row({});
  assertEquals(right, {
    ...KEY,
    ...COMMON,
    logical_ranks: 24,
    clock: "host",
    oversubscribed: true,
    status: "ok",
    reason: undefined,
    stop_reason: "timeout",
    max_abs_error: undefined,
    tolerance: 0,
    max_in_flight: 3,
    bubble_predicted_pct: undefined,
    all_reduces: 7,
    all_gathers: 3,
    sends: 3,
    collective_bytes: 150,
    weight_bytes: 70,
    kv_cache_bytes: 80,
    reference_tokens: 7,
    reference_mismatches: 0,
  });
  const reference = { tokens: 4, mismatches: 2, reason: "token 0 is 5" };
  const unlike = row({}, { reference });
  assertEquals([unlike.status, unlike.reason], ["wrong", "token 0 is 5"]);
  assertEquals([unlike.reference_tokens, unlike.reference_mismatches], [4, 2]);
  assertEquals(row({}, { predicted: { idealBubble: 0.25 } }).bubble_predicted_pct, 25);
  const wrong = row({ mismatches: [0, 2, 1] });
  assertEquals([wrong.status, wrong.reason], [
    "wrong",
    "3 tokens differ from those of each request alone on one rank",
  ]);
  const off = row({}, { reference: { tokens: 5, mismatches: 2, reason: "2 tokens are wrong" } });
  assertEquals([off.status, off.reason, off.reference_mismatches], [
    "wrong",
    "2 tokens are wrong",
    2,
  ]);
  assertEquals(unmeasuredRow(KEY, { status: "skipped", reason: "why" }, LAYOUT_CONTEXT), {
    ...KEY,
    ...COMMON,
    logical_ranks: 24,
    clock: "host",
    oversubscribed: true,
    status: "skipped",
    reason: "why",
    samples: 0,
  });
});

Deno.test("facts of a schedule are what is known of it", () => {
  assertEquals(scheduleFacts(NUMBERS), { generated_tokens: 90 });
  const held = { simulatedMs: 5, steadyStateBoundMs: 6 };
  const predicted = { idealBubble: 0, held };
  assertEquals(scheduleFacts({ ...NUMBERS, idealUs: 0, predicted }), {
    generated_tokens: 90,
    ideal_us: 0,
    simulated_ms: 5,
    pipeline_law_ms: 6,
  });
  assert(
    !("simulated_ms" in scheduleFacts({ ...NUMBERS, predicted: { idealBubble: 1 } as never })),
  );
});
