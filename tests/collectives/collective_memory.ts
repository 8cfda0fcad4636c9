// Prints by how many bytes the process grew in 10,000 small all-reduces of two Workers.
import { CollectiveRanks } from "../../bench/suites/collectives/collective_ranks.ts";

await using ranks = await CollectiveRanks.open({ ranks: 2, capacity: 16 });

/** Resident memory after so many thousand all-reduces. */
async function residentAfter(thousands: number): Promise<number> {
  for (let i = 0; i < thousands; i++) {
    const [result] = await ranks.measure({
      op: "all_reduce",
      algorithm: "one_shot",
      count: 16,
      inPlace: false,
      memory: "host",
      turn: { minTimeMs: 1e6, minSamples: 1e6, maxSamples: 1000 },
      warmUps: 5,
    });
    const times = result!.timesUs.length;
    if (times !== 1000) throw new Error(`${times} all-reduces instead of 1000`);
  }
  return Deno.memoryUsage().rss;
}

const before = await residentAfter(3);
console.log(await residentAfter(10) - before);
