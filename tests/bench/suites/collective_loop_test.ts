import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  CollectiveLoop,
  type LoopCase,
  type LoopRequest,
} from "../../../bench/suites/collectives/collective_loop.ts";
import { operandPatterns } from "../../../bench/suites/collectives/operand_patterns.ts";
import { measureSameDevice } from "../../../bench/suites/collectives/same_device_loop.ts";
import type { Session } from "../../../bench/measure/session.ts";
import type { Timer } from "../../../bench/measure/timer.ts";
import { COLLECTIVES } from "../../../collectives/registry.ts";
import type { Memory, ProgramShape } from "../../../collectives/step_program.ts";
import type { Communicator } from "../../../collectives/transports/communicator.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

const CASE: LoopCase = {
  ...{ op: "all_reduce", algorithm: "ring", count: 8 },
  ...{ inPlace: false, memory: "host" },
};
const TURN = { minTimeMs: 9, minSamples: 2, maxSamples: 5 };

interface Scripted {
  readonly rank?: number;
  /** Milliseconds of a run. */
  readonly runMs?: (run: number) => number;
  /** Changes what a run left. */
  readonly spoil?: (output: Float32Array, run: number) => void;
  /** What rank 0 says after a barrier. */
  readonly flags?: readonly number[];
}

/** A loop of one rank of two, whose peer and clock are played; its calls in their order. */
async function looped<T>(
  c: LoopCase,
  { rank = 0, runMs = () => 1, spoil = () => {}, flags = [] }: Scripted,
  use: (loop: CollectiveLoop) => T | Promise<T>,
) {
  const shape: ProgramShape = { rank, ranks: 2, count: c.count, inPlace: c.inPlace };
  const collective = COLLECTIVES[c.op];
  const patterns = operandPatterns(collective, shape);
  const memories = { input: new Float32Array(20), output: new Float32Array(20) };
  const calls: string[] = [];
  const said = [...flags];
  let [ms, runs, fresh, flag] = [0, 0, 0, 0];
  const view = (of: "operand" | "result", memory: "input" | "output") => {
    const { start, end } = collective[of](shape);
    const from_ = c.inPlace ? start : 0;
    return memories[memory].subarray(from_, from_ + end - start);
  };
  const communicator = {
    rank,
    size: 2,
    array: (memory: Memory) => memories[memory as "input" | "output"],
    prepare: (_: unknown, of: object) => of,
    barrier: () => {
      ms += 100;
      calls.push("barrier");
      if (said.length > 0) flag = said.shift()!;
    },
    run: () => {
      // What was run before in an iteration left its result.
      const isPoisoned = memories.output.subarray(0, c.count).every(Number.isNaN);
      const { operand, expected } =
        patterns[isPoisoned || c.inPlace ? fresh++ % 2 : (fresh - 1) % 2]!;
      assertEquals(view("operand", c.inPlace ? "output" : "input"), operand);
      const result = view("result", "output");
      result.set(expected);
      spoil(result, runs);
      ms += runMs(runs++);
      calls.push("run");
    },
    broadcastFlag: (value: number) => {
      calls.push(`say ${value}`);
      flag = value;
    },
    get flag() {
      return flag;
    },
  };
  const { now } = performance;
  performance.now = () => ms;
  try {
    const loop = new CollectiveLoop(communicator as unknown as Communicator);
    return { found: await use(loop), calls };
  } finally {
    performance.now = now;
  }
}

const measure = (request: Partial<LoopRequest>, script: Scripted) => {
  const whole = { ...CASE, turn: TURN, warmUps: 2, ...request };
  return looped(whole, script, (loop) => loop.measure(whole));
};

Deno.test("a turn goes on until min samples and min time are reached; warm-ups are verified, not timed", async () => {
  const runMs = (run: number) => [50, 40, 3, 4, 5, 6][run]!;
  const { found, calls } = await measure({}, { runMs });
  assertEquals(found, {
    timesUs: [3000, 4000, 5000],
    readUs: [],
    exchangeUs: [],
    writeUs: [],
    wrongElements: 0,
    maxAbsError: 0,
    tolerance: 0,
  });
  const each = (enough: number) => ["barrier", "run", "barrier", `say ${enough}`, "barrier"];
  assertEquals(calls, [0, 0, 0, 0, 1].flatMap(each));
  const counted = async (request: Partial<LoopRequest>, ms: number) =>
    (await measure(request, { runMs: () => ms })).found.timesUs.length;
  assertEquals(await counted({}, 20), 2, "min samples");
  assertEquals(await counted({}, 4.5), 2, "min time is reached");
  assertEquals(await counted({}, 4.4), 3);
  assertEquals(await counted({}, 0.001), 5, "no more than max samples");
  assertEquals(await counted({ warmUps: 0 }, 20), 2);
});

Deno.test("a rank that is not the first says nothing and stops when it is told", async () => {
  // Three barriers an iteration; the third brings rank 0's word.
  const flags = [0, 0, 0, 0, 0, 0, 0, 0, 1];
  const { found, calls } = await measure({ warmUps: 1 }, { rank: 1, flags, runMs: () => 1000 });
  assertEquals(found.timesUs, [1e6, 1e6]);
  assertEquals(calls.filter((call) => call.startsWith("say")), []);
});

Deno.test("every element of every iteration is compared, those of warm-ups too", async () => {
  const { found } = await measure({ turn: { ...TURN, minTimeMs: 0 }, warmUps: 1 }, {
    spoil: (output, run) => {
      if (run === 0) output[7]! += 2;
      if (run === 2) output.fill(output[1]! + 3, 1, 2);
      if (run === 2) output[0] = output[0]! - 0.5;
    },
  });
  assertEquals([found.wrongElements, found.maxAbsError], [3, 3]);
});

Deno.test("sums that are not exact may be off by their algorithm's bound", async () => {
  const int8 = { algorithm: "one_shot_int8", turn: { ...TURN, minTimeMs: 0 }, warmUps: 0 } as const;
  const tolerance = 375 / 254 + 375 * 2 * 2 ** -23;
  const off = async (error: number) =>
    (await measure(int8, { spoil: (output) => void (output[0]! += error) })).found;
  assertAlmostEquals((await off(0)).tolerance, tolerance, 1e-12);
  assertEquals([(await off(1.4)).wrongElements, (await off(1.6)).wrongElements], [0, 2]);
});

Deno.test("operands and results of a rank's share lie where the program has them, in place or not", async () => {
  for (const op of ["all_gather", "reduce_scatter"] as const) {
    for (const inPlace of [false, true]) {
      const script = { rank: 1, flags: [0, 0, 1] };
      const { found } = await measure({ op, inPlace, warmUps: 0 }, script);
      assertEquals([found.wrongElements, found.timesUs.length], [0, 1], `${op} ${inPlace}`);
    }
  }
});

Deno.test("back to back, a run's time is that of all of them divided by their number, after one more", async () => {
  const runMs = (run: number) => [70, 2, 3, 7][run]!;
  const { found, calls } = await looped(CASE, { runMs }, (loop) => loop.backToBack(CASE, 3));
  assertEquals(found, 4000);
  const runs = (count: number) => ["barrier", ...new Array<string>(count).fill("run"), "barrier"];
  assertEquals(calls, [...runs(1), ...runs(3)]);
});

Deno.test("a rank follows until the flag is down", async () => {
  const runs: number[] = [];
  const communicator = {
    prepare: (program: unknown, c: unknown) => {
      assertEquals([program, c], [COLLECTIVES.all_reduce.algorithms["ring"]!.program, CASE]);
      return "prepared";
    },
    barrier: () => {},
    run: (prepared: unknown) => {
      assertEquals(prepared, "prepared");
      runs.push(3 - runs.length);
    },
    get flag() {
      return 3 - runs.length;
    },
  };
  await new CollectiveLoop(communicator as unknown as Communicator).follow(CASE);
  assertEquals(runs, [3, 2, 1]);
});

Deno.test("on one device samples are taken until there are enough, and every rank's result is compared", async () => {
  const device = await sharedDevice();
  const same = { op: "all_reduce", algorithm: "ring", transport: "same_device" } as const;
  const c = { ...same, memory: "device", ranks: 3, messageBytes: 28 } as const;
  const run = (timesUs: readonly number[], idle: readonly number[], warmUps = 2) => {
    let samples = 0;
    const timer: Pick<Timer, "sample"> = {
      sample: (dispatches) => {
        if (!idle.includes(samples)) device.run(dispatches);
        const gpuUs = timesUs[samples++]!;
        return Promise.resolve({ gpuUs, hostUs: 1e9, submitUs: 0 });
      },
    };
    return measureSameDevice(c, { device, timer } as unknown as Session, { turn: TURN, warmUps });
  };
  const parts = { readUs: [], exchangeUs: [], writeUs: [], tolerance: 0 };
  const right = { ...parts, wrongElements: 0, maxAbsError: 0 };
  assertEquals(await run([9e6, 9e6, 3000, 4000, 2500, 1], []), {
    ...right,
    timesUs: [3000, 4000, 2500],
  });
  assertEquals((await run([9000, 1, 1], [], 0)).timesUs, [9000, 1]);
  assertEquals((await run(new Array(9).fill(1), [], 1)).timesUs, [1, 1, 1, 1, 1]);
  // Nothing ran in a warm-up and in a timed run: 7 elements of each of 3 ranks stay poisoned.
  const wrong = await run([1, 1, 5000, 5000], [0, 3]);
  assertEquals([wrong.wrongElements, wrong.maxAbsError], [42, Infinity]);
  assertEquals(wrong.timesUs, [5000, 5000]);
});
