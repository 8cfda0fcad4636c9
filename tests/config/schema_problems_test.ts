import { assertEquals } from "@std/assert";
import { refusals, REQUESTS } from "./resolved.ts";

/** What a configuration of these keys is refused for, in whole lines. */
function assertRefused(
  cases: readonly (readonly [Readonly<Record<string, unknown>>, ...string[]])[],
) {
  for (const [keys, ...lines] of cases) assertEquals(refusals(keys), lines);
}

Deno.test("a number's error says its kind and bounds", () => {
  assertRefused([
    [{ seed: 0.5 }, "seed: found 0.5; legal: a whole number, 0 or more, at most 4294967295"],
    [
      { model_overrides: { head_dim: 3 } },
      "model_overrides.head_dim: found 3; legal: a whole number, 1 or more, at most 67108864, " +
      "a multiple of 2 or null",
    ],
    [
      { measure: { max_noise_pct: 101, timeout_s: 0 } },
      "measure.max_noise_pct: found 101; legal: a number, above 0, at most 100",
      "measure.timeout_s: found 0; legal: a number, above 0",
    ],
  ]);
});

Deno.test("a text's error says whether it may be empty, and what it is for", () => {
  assertRefused([
    [
      { name: "a b" },
      'name: found "a b"; legal: a text (Names the folder of results: letters, digits, dot, dash ' +
      "and underscore; the file's name where absent)",
    ],
    [
      { launcher: { kind: "mpi", command: [""] } },
      'launcher.command.0: found ""; legal: a text that is not empty',
    ],
    [
      { launcher: { kind: "mpi", rank_env: [{}, { A: 1 }] } },
      "launcher.rank_env.1.A: found 1; legal: a text",
    ],
  ]);
});

Deno.test("an error of a choice lists what can be chosen, once each", () => {
  assertRefused([
    [{ dtype: "int4" }, 'dtype: found "int4"; legal: "float32", "float16", "int8"'],
    [
      { adapter: { allow_software: "x" } },
      'adapter.allow_software: found "x"; legal: true or false',
    ],
    [{ launcher: { kind: "x" } }, 'launcher.kind: found "x"; legal: "workers" or "mpi"'],
    [
      { kernels: { ops: ["add"], variants: "x" } },
      'kernels.variants: found "x"; legal: "best", "all" or a list without repeats, not empty, of ' +
      "a text that is not empty",
    ],
    [
      { model_overrides: { sliding_window: "x" } },
      'model_overrides.sliding_window: found "x"; legal: a whole number, 1 or more, ' +
      "at most 67108864 or null",
    ],
  ]);
});

Deno.test("a list's error says what is in it, and whether anything may stand twice", () => {
  assertRefused([
    [
      { measure: { modes: ["hot", "hot"] } },
      'measure.modes: found ["hot","hot"]; legal: a list without repeats, not empty, of "hot", "cold"',
    ],
    [{ measure: { modes: ["warm"] } }, 'measure.modes.0: found "warm"; legal: "hot", "cold"'],
    [
      { launcher: { kind: "mpi", command: [] } },
      "launcher.command: found []; legal: a list, not empty, of a text that is not empty",
    ],
    [
      { model_overrides: { architectures: [] } },
      'model_overrides.architectures: found []; legal: a list, not empty, of "LlamaForCausalLM", ' +
      '"MistralForCausalLM", "Qwen2ForCausalLM", "PlainFFNForCausalLM"',
    ],
  ]);
});

Deno.test("an object's error says its keys; an unknown key's those of the kind that was chosen", () => {
  const layout =
    "tensor_parallel_size, pipeline_parallel_size, data_parallel_size, order, stage_layers";
  assertRefused([
    [
      { launcher: 1 },
      "launcher: found 1; legal: an object with kind or an object with kind, command, rank_env",
    ],
    [
      { launcher: { kind: "workers", command: [] } },
      'launcher.command: found the unknown key "command"; legal: kind',
    ],
    [
      { launcher: { kind: "mpi", comand: [] } },
      'launcher.comand: found the unknown key "comand"; legal: kind, command, rank_env',
    ],
    [
      { adapter: { a: 1, b: 2 } },
      'adapter.a: found the unknown key "a"; legal: power_preference, allow_software',
      'adapter.b: found the unknown key "b"; legal: power_preference, allow_software',
    ],
    [
      { schedules: { layouts: [{}, { tp: 1 }, 1], requests: REQUESTS } },
      `schedules.layouts.1.tp: found the unknown key "tp"; legal: ${layout}`,
      `schedules.layouts.2: found 1; legal: an object with ${layout}`,
    ],
  ]);
});

Deno.test("what is missing is found to be nothing", () => {
  const sizes = "FIRST:LAST:*FACTOR or FIRST:LAST:+STEP or a list A,B,C";
  assertRefused([[
    { collectives: { ops: ["all_reduce"] } },
    `collectives.sizes: found nothing; legal: a text (Message sizes: ${sizes}; ` +
    "in B, KiB, MiB, GiB, multiples of 4 B)",
  ]]);
});
