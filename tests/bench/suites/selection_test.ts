import { assertEquals, assertThrows } from "@std/assert";
import { caseLines, measureRun } from "../../../bench/suites/measure_run.ts";
import { loadConfig } from "../../../config/config.ts";
import { ConfigError } from "../../../config/config_error.ts";
import { exitStatusOf } from "../../../cli/exit_status.ts";

const CONFIG = new URL("../../../configs/quick.json", import.meta.url).pathname;

Deno.test("a selection that leaves no case is bad usage, whoever asks for it", async () => {
  const config = await loadConfig(CONFIG);
  for (
    const selection of [{ filter: /zzz/ }, { suites: [] }, { suites: ["collectives"] as const }]
  ) {
    assertThrows(() => caseLines(config, selection), ConfigError, "leave no case");
    const error = await measureRun({ config, selection }).catch((error) => error);
    assertEquals([error instanceof ConfigError, exitStatusOf(error)], [true, 2]);
  }
});

Deno.test("where no case can be run it is said why", async () => {
  const config = await loadConfig(CONFIG);
  const collectives = (changes: object) => ({
    ...config,
    collectives: {
      ops: ["all_reduce"],
      ranks: [20],
      sizes: "64B",
      algorithms: "all",
      transports: ["workers", "mpi"],
      memory: ["host"],
      ...changes,
    },
  } as unknown as typeof config);
  const suites = ["collectives"] as const;
  assertThrows(
    () => caseLines(collectives({}), { suites }),
    ConfigError,
    "cases none of which can be run: operands are exact for up to 16 ranks (MAX_EXACT_RANKS), not 20; this version has no MPI transport",
  );
  assertEquals(caseLines(collectives({ ranks: [2] }), { suites }).length, 6);
  // What is named becomes a row that says why.
  assertEquals(caseLines(collectives({ algorithms: ["ring"] }), { suites }).length, 2);
});

Deno.test("unknown suites and filters with flags are refused", async () => {
  const config = await loadConfig(CONFIG);
  const suites = ["foo"] as unknown as ["kernels"];
  assertThrows(() => caseLines(config, { suites }), RangeError, "kernels, collectives, schedules");
  assertThrows(() => caseLines(config, { filter: /ffn/g }), RangeError, "without flags");
});
