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

Deno.test("unknown suites and filters with flags are refused", async () => {
  const config = await loadConfig(CONFIG);
  const suites = ["foo"] as unknown as ["kernels"];
  assertThrows(() => caseLines(config, { suites }), RangeError, "kernels, collectives, schedules");
  assertThrows(() => caseLines(config, { filter: /ffn/g }), RangeError, "without flags");
});
