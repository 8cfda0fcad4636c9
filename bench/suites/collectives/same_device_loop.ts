import { type AlgorithmName, COLLECTIVES } from "../../../collectives/registry.ts";
import { SameDevice } from "../../../runtime/same_device.ts";
import type { Session } from "../../measure/session.ts";
import { timeUs } from "../../measure/timer.ts";
import { type CollectiveCase, elementsOf } from "./collective_cases.ts";
import type { LoopRequest, LoopResult } from "./collective_loop.ts";
import { countWrong, operandPatterns } from "./operand_patterns.ts";

/** Measures a turn of a collective between logical ranks on one device: fresh operands, every element verified. */
export async function measureSameDevice(
  c: CollectiveCase & { readonly algorithm: AlgorithmName },
  session: Session,
  { turn, warmUps }: Pick<LoopRequest, "turn" | "warmUps">,
): Promise<LoopResult> {
  const { device, timer } = session;
  const collective = COLLECTIVES[c.op];
  const shape = { ranks: c.ranks, count: elementsOf(c), inPlace: false };
  using same = new SameDevice(device, collective.algorithms[c.algorithm]!.program, shape);
  const patterns = Array.from(
    { length: c.ranks },
    (_, rank) => operandPatterns(collective, { ...shape, rank }),
  );
  const poison = new Float32Array(Math.max(1, shape.count)).fill(NaN);
  const timesUs: number[] = [];
  let wrongElements = 0;
  let maxAbsError = 0;
  let timedUs = 0;
  const isEnough = () =>
    timesUs.length >= turn.maxSamples ||
    (timesUs.length >= turn.minSamples && timedUs >= turn.minTimeMs * 1000);
  for (let iteration = 0; !isEnough(); iteration++) {
    const now = patterns.map((own) => own[iteration % own.length]!);
    now.forEach(({ operand }, rank) => {
      same.upload({ rank, memory: "input", start: 0 }, operand);
      same.upload({ rank, memory: "output", start: 0 }, poison);
    });
    await device.finish();
    const sample = await timer.sample(same.dispatches);
    const all = await same.download();
    now.forEach(({ expected }, rank) => {
      const found = countWrong(same.memoryOf(all, rank, "output"), expected, 0);
      wrongElements += found.elements;
      maxAbsError = Math.max(maxAbsError, found.error);
    });
    if (iteration < warmUps) continue;
    timesUs.push(timeUs(sample));
    timedUs += timeUs(sample);
  }
  const parts = { readUs: [], exchangeUs: [], writeUs: [] };
  return { timesUs, ...parts, wrongElements, maxAbsError, tolerance: 0 };
}
