import { assert, assertEquals, assertThrows } from "@std/assert";
import { buildReduce } from "../../_tools/build_reduce.ts";
import type { LoopRequest } from "../../bench/suites/collectives/collective_loop.ts";
import { CollectiveRanks } from "../../bench/suites/collectives/collective_ranks.ts";
import { unsupported } from "../../collectives/collective.ts";
import {
  ALGORITHM_NAMES,
  type AlgorithmName,
  type CollectiveName,
  COLLECTIVES,
} from "../../collectives/registry.ts";
import { Communicator } from "../../collectives/transports/communicator.ts";
import { createCommunicatorState } from "../../collectives/transports/communicator_state.ts";
import { createWatchdogState } from "../../collectives/transports/watchdog.ts";

const TURN = { minTimeMs: 0.001, minSamples: 3, maxSamples: 1000 };

function request(
  op: CollectiveName,
  algorithm: AlgorithmName,
  rest: Partial<LoopRequest>,
): LoopRequest {
  const usual = { count: 97, inPlace: false, memory: "host", turn: TURN, warmUps: 5 } as const;
  return { op, algorithm, ...usual, ...rest };
}

/** Runs every operation and algorithm for some counts, in place and not; every element is compared. */
async function runAll(
  ranks: CollectiveRanks,
  counts: readonly number[],
  memory: "host" | "device",
) {
  let runs = 0;
  for (const collective of Object.values(COLLECTIVES)) {
    const { elementMultiple = 1 } = collective;
    for (const name of ALGORITHM_NAMES.filter((a) => !unsupported(collective, a, ranks.ranks))) {
      for (const count of counts.filter((c) => c % elementMultiple === 0)) {
        for (const inPlace of [false, true]) {
          const results = await ranks.measure(
            request(collective.name as CollectiveName, name, { count, inPlace, memory }),
          );
          const where = `${name} ${collective.name}, ${count} elements, in place: ${inPlace}`;
          assertEquals(results.map((r) => r.wrongElements), new Array(ranks.ranks).fill(0), where);
          assert(results.every((r) => r.timesUs.length === results[0]!.timesUs.length), where);
          runs++;
        }
      }
    }
  }
  return runs;
}

for (const count of [1, 2, 3, 4, 5, 8]) {
  Deno.test(`every collective and algorithm is right on ${count} Workers`, async () => {
    await using ranks = await CollectiveRanks.open({ ranks: count, capacity: 3001 });
    assert(await runAll(ranks, [0, 1, 2, 7, 3001], "host") > 80);
  });
}

Deno.test("every collective and algorithm is right over the adapters of 1, 2 and 3 Workers", async () => {
  for (const count of [1, 2, 3]) {
    await using ranks = await CollectiveRanks.open({ ranks: count, capacity: 1000 });
    assert(await runAll(ranks, [1, 1000], "device") > 20);
  }
});

Deno.test("sums in plain TypeScript have the bits of those in WASM", () => {
  for (const count of [1, 15, 16, 17, 1003]) {
    for (const sources of [1, 2, 3, 5]) {
      const outputs = (["wasm", "plain"] as const).map((sums) => {
        const state = createCommunicatorState({
          globalRanks: [0],
          capacity: count * sources,
          watchdog: createWatchdogState([0], 1000),
          sums,
        });
        const rank = new Communicator(state, 0);
        rank.array("input").forEach((_, i, all) => all[i] = Math.sin(i + 1) * 10 ** (i % 9 - 4));
        const places = Array.from(
          { length: sources },
          (_, k) => ({ rank: 0, memory: "input", start: k * count } as const),
        );
        const program = () => [{
          moves: [{ to: { memory: "output", start: 0 } as const, count, sources: places }],
        }];
        rank.run(rank.prepare(program, { count, inPlace: false }));
        return rank.array("output").slice(0, count);
      });
      assertEquals(outputs[0], outputs[1]);
      assert(outputs[0]!.some((value) => value !== 0));
    }
  }
});

Deno.test("the committed binary is what its source builds to", async () => {
  const binary = Deno.readFileSync(new URL("../../collectives/reduce.wasm", import.meta.url));
  assertEquals(Uint8Array.from(await buildReduce()), binary);
});

Deno.test("10,000 small all-reduces leave memory as it was", async () => {
  // In a process of its own: tests that run beside this one take memory, too.
  const script = new URL("./collective_memory.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", "--no-check", "--allow-read", "--allow-env", script],
  }).output();
  const grown = new TextDecoder().decode(stdout).trim();
  assert(grown !== "", new TextDecoder().decode(stderr));
  assert(Number(grown) < 2 ** 24, `${grown} bytes more`);
});

Deno.test("more ranks or more memory than a group can have are refused, with the limit", () => {
  const create = (ranks: number, capacity: number) => {
    const globalRanks = [...Array(ranks).keys()];
    const watchdog = createWatchdogState([0], 1000);
    return () => createCommunicatorState({ globalRanks, capacity, watchdog });
  };
  for (const ranks of [0, 65]) {
    const message = `Cannot make a group of ${ranks} ranks: legal are 1 to 64 (MAX_GROUP_RANKS)`;
    assertThrows(create(ranks, 1), RangeError, message);
  }
  assertThrows(create(16, 2 ** 27), RangeError, "between 16 ranks: it would take 257");
  assertEquals(create(64, 1)().globalRanks.length, 64);
});
