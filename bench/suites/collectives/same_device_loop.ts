import type { AlgorithmName } from "../../../collectives/registry.ts";
import { COLLECTIVES } from "../../../collectives/registry.ts";
import { SameDevice } from "../../../runtime/same_device.ts";
import { type CollectiveCase, elementsOf } from "./collective_cases.ts";
import { countWrong, expectedOf, type LoopResult, operandOf } from "./collective_loop.ts";
import { type StopCriteria, StoppingRule, type StopReason, timeUs } from "../../measure/timer.ts";
import type { Session } from "../../measure/session.ts";
import { summarise } from "../../../statistics/summary.ts";

const WARM_UPS = 3;
const PATTERNS = 2;

/** Measures a collective between logical ranks on one device: fresh operands, every element verified. */
export async function measureSameDevice(
  c: CollectiveCase & { readonly algorithm: AlgorithmName },
  session: Session,
  rule: StopCriteria,
): Promise<LoopResult> {
  const { device, timer } = session;
  const collective = COLLECTIVES[c.op];
  const shape = { ranks: c.ranks, count: elementsOf(c), inPlace: false };
  using same = new SameDevice(device, collective.algorithms[c.algorithm]!.program, shape);
  const own = Array.from({ length: c.ranks }, (_, rank) => ({ ...shape, rank }));
  const patterns = Array.from({ length: PATTERNS }, (_, pattern) =>
    own.map((one) => ({
      operand: operandOf(one, { pattern, operand: collective.operand(one) }),
      expected: expectedOf(collective, one, pattern),
    })));
  const poison = new Float32Array(Math.max(1, shape.count)).fill(NaN);
  const stopper = new StoppingRule(rule);
  const timesUs: number[] = [];
  let wrongElements = 0;
  let maxAbsError = 0;
  let stopReason: StopReason | undefined;
  let begun = performance.now();
  for (let iteration = -WARM_UPS; stopReason === undefined; iteration++) {
    const pattern = patterns[(iteration + WARM_UPS) % PATTERNS]!;
    pattern.forEach(({ operand }, rank) => {
      same.upload({ rank, memory: "input", start: 0 }, operand);
      same.upload({ rank, memory: "output", start: 0 }, poison);
    });
    await device.finish();
    const sample = await timer.sample(same.dispatches);
    const all = await same.download();
    pattern.forEach(({ expected }, rank) => {
      const found = countWrong(same.memoryOf(all, rank, "output"), expected, 0);
      wrongElements += found.elements;
      maxAbsError = Math.max(maxAbsError, found.error);
    });
    const spentUs = (performance.now() - begun) * 1000;
    begun = performance.now();
    if (iteration < 0) continue;
    timesUs.push(timeUs(sample));
    stopReason = stopper.next(timesUs, { noise: () => summarise(timesUs).noisePct, spentUs });
  }
  const parts = { readUs: [], exchangeUs: [], writeUs: [] };
  return { timesUs, ...parts, wrongElements, maxAbsError, tolerance: 0, stopReason };
}
