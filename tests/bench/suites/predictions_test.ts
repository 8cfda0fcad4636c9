import { assertAlmostEquals, assertEquals } from "@std/assert";
import { predict, type PredictedCase } from "../../../bench/suites/schedules/predictions.ts";
import type { ScheduleWork } from "../../../bench/suites/schedules/schedule_cases.ts";
import type { LayoutSizes } from "../../../config/config_schema.ts";

const REQUESTS = [0, 1, 2, 3].map((id) => ({
  id,
  promptTokenIds: [1],
  maxTokens: 2,
  arrivalMs: 0,
}));
const WORK = {
  config: { schedules: { max_num_batched_tokens: 64, max_num_seqs: 8 } },
  requests: REQUESTS,
} as unknown as ScheduleWork;

const LAYOUT = {
  tensor_parallel_size: 1,
  pipeline_parallel_size: 2,
  data_parallel_size: 1,
  order: "vllm",
} as LayoutSizes;

/** A case of two stages that took so long, in us, with each batch; all four requests are one batch. */
function measured(stagesUs: readonly number[], changes: Partial<PredictedCase["case"]> = {}) {
  const steps = (stage: number) =>
    [0, 1].map((step) => ({
      step,
      tokens: 4,
      start: 10 * step + stage,
      end: 10 * step + stage + stagesUs[stage]! / 1000,
      spans: [],
      submitUs: 0,
      waitUs: 0,
    }));
  const traces = [{
    stages: 2,
    inFlight: [{ start: 0, end: 5 }, { start: 10, end: 15 }],
    ranks: [0, 1].map((stage) => ({ globalRank: stage, stage, tpRank: 0, steps: steps(stage) })),
  }];
  const scheduled = REQUESTS.map(({ id }) => ({ requestId: id }));
  return {
    case: {
      schedule: "step",
      layout: LAYOUT,
      maxConcurrentBatches: 1,
      admission: "greedy",
      way: { head: "all_gather", slicedSends: false },
      ...changes,
    },
    last: { traces, served: { batches: [[{ batch: { scheduled } }]] } },
    stages: [{
      byTokens: stagesUs.map((us) => new Map([[4, [us]]])),
      hops: [100],
      heads: [10],
      tails: [20],
      engine: [30],
    }],
  } as unknown as PredictedCase;
}

Deno.test("a row is predicted from the stage times of other rows, never from its own", async () => {
  const one = measured([1000, 2000]);
  const other = measured([3000, 5000], { admission: "split" });
  const expected = 2 * (3 + 5 + 0.1 + 0.06); // two batches, one after another
  const predicted = await predict(one, [one, other], WORK);
  assertAlmostEquals(predicted!.held!.simulatedMs, expected, 1e-9);
  assertAlmostEquals(predicted!.held!.steadyStateBoundMs, expected, 1e-9);
  assertAlmostEquals(predicted!.idealBubble, 0.5, 1e-12);
  assertEquals((await predict(one, [one], WORK))!.held, undefined);
});

Deno.test("rows of the same layout are asked first, then those with equal stages, others never", async () => {
  const one = measured([1, 1]);
  const unequal = measured([7000, 7000], { layout: { ...LAYOUT, stage_layers: [1, 3] } });
  const replicated = measured([2000, 3000], { layout: { ...LAYOUT, data_parallel_size: 2 } });
  const wider = measured([7000, 7000], { layout: { ...LAYOUT, tensor_parallel_size: 2 } });
  const far = [unequal, wider];
  assertEquals((await predict(one, far, WORK))!.held, undefined);
  const alike = await predict(one, [...far, replicated], WORK);
  assertAlmostEquals(alike!.held!.simulatedMs, 2 * (2 + 3 + 0.16), 1e-9);
  const same = await predict(one, [replicated, ...far, measured([4000, 4000])], WORK);
  assertAlmostEquals(same!.held!.simulatedMs, 2 * (4 + 4 + 0.16), 1e-9);
});

Deno.test("cases that failed before a repetition predict nothing, requests over time are not predicted", async () => {
  const one = measured([1, 1]);
  const none = { ...measured([9, 9]), stages: [] };
  assertEquals((await predict(one, [none], WORK))!.held, undefined);
  const late = REQUESTS.map((request) => ({ ...request, arrivalMs: request.id }));
  assertEquals(await predict(one, [measured([5, 5])], { ...WORK, requests: late }), undefined);
});
