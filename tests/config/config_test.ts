import { assertEquals, assertThrows } from "@std/assert";
import { loadConfig, resolveConfig } from "../../config/config.ts";
import { ConfigError, showValue } from "../../config/config_error.ts";
import { inFolder } from "../in_folder.ts";
import { MODEL, refusals, REQUESTS, resolved } from "./resolved.ts";

Deno.test("a configuration is named after its file, and has one rank where it says nothing", () => {
  const config = resolved({ kernels: { ops: ["ffn"] } });
  assertEquals([config.name, config.document.name], ["my_run", "my_run"]);
  assertEquals(resolved({ name: "other", kernels: { ops: ["ffn"] } }).name, "other");
  assertEquals(config.layout, {
    tensor_parallel_size: 1,
    pipeline_parallel_size: 1,
    data_parallel_size: 1,
    order: "vllm",
  });
  assertEquals([config.modelPath, config.document.model, config.trace], [MODEL, MODEL, undefined]);
});

Deno.test("sizes of the command line replace those of every layout and of the kernels", () => {
  const layouts = [{ pipeline_parallel_size: 2 }, { tensor_parallel_size: 2 }, {}];
  const keys = {
    kernels: { ops: ["ffn"], tensor_parallel_sizes: [1, 2] },
    schedules: { layouts, requests: REQUESTS },
  };
  const config = resolved(keys, { sizes: { tensorParallelSize: 4 } });
  const sizes = config.schedules!.layouts.map((one) =>
    [one.tensor_parallel_size, one.pipeline_parallel_size] as const
  );
  assertEquals(sizes, [[4, 2], [4, 1]], "equal layouts are one");
  const written = [{}, { data_parallel_size: 1, order: "vllm" }, { pipeline_parallel_size: 2 }];
  const same = resolved({ schedules: { layouts: written, requests: REQUESTS } }, {
    sizes: { tensorParallelSize: 2, pipelineParallelSize: 1 },
  });
  assertEquals(same.schedules!.layouts.length, 1, "also where defaults are written out");
  assertEquals(config.kernels!.tensor_parallel_sizes, [4]);
  assertEquals(config.layout.tensor_parallel_size, 4);
  assertEquals(config.layout.pipeline_parallel_size, 2);
  const deep = resolved(keys, { sizes: { pipelineParallelSize: 8, dataParallelSize: 3 } });
  assertEquals(deep.kernels!.tensor_parallel_sizes, [1, 2]);
  assertEquals(deep.layout.data_parallel_size, 3);
  const none = resolved({ kernels: { ops: ["ffn"] } }, { sizes: { pipelineParallelSize: 32 } });
  assertEquals([none.layout.pipeline_parallel_size, none.schedules], [32, undefined]);
});

Deno.test("sizes that a model cannot be cut into are refused, with the rule, once", () => {
  const kernels = { ops: ["ffn"] };
  assertEquals(refusals({ kernels }, { sizes: { pipelineParallelSize: 0 } }), [
    "pipeline_parallel_size: found 0; legal: a whole number, 1 or more",
  ]);
  assertEquals(refusals({ kernels }, { sizes: { pipelineParallelSize: 33 } }), [
    "pipeline_parallel_size: found 33; legal: 1 to 32 (every stage needs a layer, and mistral_7b has 32)",
  ]);
  const layouts = [{ pipeline_parallel_size: 33 }];
  assertEquals(refusals({ schedules: { layouts, requests: REQUESTS } }), [
    "schedules.layouts.0.pipeline_parallel_size: found 33; legal: 1 to 32 " +
    "(every stage needs a layer, and mistral_7b has 32)",
  ]);
  assertEquals(
    refusals({ kernels: { ops: ["ffn"], tensor_parallel_sizes: [2, 3] } }).map((line) =>
      line.split(";")[0]
    ),
    new Array(4).fill("kernels.tensor_parallel_sizes.1: found 3"),
  );
});

Deno.test("layers of stages are as many as stages, and sum to the model's", () => {
  const schedules = (stage_layers: readonly number[], pipeline_parallel_size?: number) => ({
    schedules: {
      layouts: [{
        ...(pipeline_parallel_size === undefined ? {} : { pipeline_parallel_size }),
        stage_layers,
      }],
      requests: REQUESTS,
    },
  });
  assertEquals(resolved(schedules([20, 12], 2)).layout.stage_layers, [20, 12]);
  for (const [layers, stages] of [[[20, 11], 2], [[20, 6, 6], 2]] as const) {
    assertEquals(refusals(schedules(layers, stages)), [
      `schedules.layouts.0.stage_layers: found ${
        JSON.stringify(layers)
      }; legal: 2 numbers that sum to 32`,
    ]);
  }
  assertEquals(refusals(schedules([31])), [
    "schedules.layouts.0.stage_layers: found [31]; legal: 1 numbers that sum to 32",
  ]);
});

Deno.test("requests and contexts lie within the model's positions and its window", () => {
  const schedules = (prompt_tokens: number, output_tokens: number) => ({
    schedules: { requests: { count: 1, prompt_tokens, output_tokens } },
  });
  const why = "legal: at most 4096 positions " +
    "(the model's max_position_embeddings and sliding_window)";
  assertEquals(resolved(schedules(4000, 96)).schedules!.requests.prompt_tokens, 4000);
  assertEquals(refusals(schedules(4000, 97)), [
    `schedules.requests: found 4000 prompt and 97 output tokens; ${why}`,
  ]);
  const kernels = (
    ops: readonly string[],
    tokens: readonly number[],
    context: readonly number[],
  ) => ({ kernels: { ops, tokens, context } });
  assertEquals(resolved(kernels(["attention"], [4096], [4096])).kernels!.tokens, [4096]);
  assertEquals(refusals(kernels(["ffn", "attention"], [1, 4097], [4098])), [
    `kernels.tokens.1: found 4097; ${why}`,
    `kernels.context.0: found 4098; ${why}`,
  ]);
  assertEquals(resolved(kernels(["ffn"], [4097], [4098])).kernels!.tokens, [4097]);
});

Deno.test("requests without a trace say how many there are, and of how many tokens", () => {
  assertEquals(refusals({ schedules: { requests: { prompt_tokens: 3 } } }), [
    "schedules.requests.count: found nothing; legal: a whole number, 1 or more; or a trace",
    "schedules.requests.output_tokens: found nothing; legal: a whole number, 1 or more; or a trace",
  ]);
});

Deno.test("--set replaces, makes and appends values; a value that is no JSON is a text", () => {
  const config = resolved({ kernels: { ops: ["ffn"], tokens: [1, 2] } }, {
    set: [
      "kernels.tokens.0=8",
      "kernels.tokens.2=16",
      "name=plain",
      "schedules.requests.count=3",
      "schedules.requests.prompt_tokens=4",
      "schedules.requests.output_tokens=5",
      "schedules.layouts.0.pipeline_parallel_size=2",
    ],
  });
  assertEquals(config.kernels!.tokens, [8, 2, 16]);
  assertEquals(config.layout.pipeline_parallel_size, 2);
  assertEquals([config.schedules!.requests.count, config.name], [3, "plain"]);
  const [line] = refusals({ kernels: { ops: ["ffn"] } }, { set: ["name=a=b"] });
  assertEquals(line!.startsWith('name: found "a=b"; legal: a text'), true, line);
});

Deno.test("--set says where a path leads nowhere, and what would be legal there", () => {
  const kernels = { ops: ["ffn"], tokens: [1, 2] };
  const cases = [
    ["kernels", '--set: found "kernels"; legal: path=value'],
    ["=1", '--set: found "=1"; legal: path=value'],
    ["kernels.tokens.3=1", 'found "3" under [1,2]; legal: a place in the list, 0 to 2'],
    ["kernels.tokens.x=1", 'found "x" under [1,2]; legal: a place in the list, 0 to 2'],
    ["kernels.tokens.01=1", 'found "01" under [1,2]; legal: a place in the list, 0 to 2'],
    ["kernels.tokens.0.a=1", 'found "a" under 1; legal: a path through objects and lists'],
    ["kernels..a=1", "legal: a dotted path of keys, such as kernels.tokens.0"],
    ["kernels.__proto__.a=1", "legal: a dotted path of keys, such as kernels.tokens.0"],
  ] as const;
  for (const [set, words] of cases) {
    const [line] = refusals({ kernels }, { set: [set] });
    assertEquals(line!.endsWith(words), true, line);
  }
});

Deno.test("a value in an error is its JSON, of which 57 characters are kept where it has above 60", () => {
  assertEquals([undefined, null, "a", [1]].map(showValue), ["nothing", "null", '"a"', "[1]"]);
  const text = (length: number) => "0123456789".repeat(9).slice(0, length);
  assertEquals(showValue(text(58)), `"${text(58)}"`);
  assertEquals(showValue(text(59)), `"${text(56)}...`);
});

Deno.test("overrides change a model's sizes and mark its name, unless they change nothing", () => {
  const kernels = { ops: ["ffn"] };
  const small = resolved({ kernels, model_overrides: { num_hidden_layers: 2 } }).model;
  assertEquals(small.layers, 2);
  assertEquals(/^mistral_7b\+[0-9a-f]{6}$/.test(small.name), true, small.name);
  const same = resolved({ kernels, model_overrides: { num_hidden_layers: 32 } }).model;
  assertEquals([same.name, same.layers], ["mistral_7b", 32]);
  const [line] = refusals({ kernels, model_overrides: { num_key_value_heads: 5 } });
  assertEquals(
    line,
    "model_overrides.num_key_value_heads: found 5; legal: a divisor of " +
      "num_attention_heads (32)",
  );
});

Deno.test("a model may be a folder, and is looked for beside the configuration", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/tiny`);
    Deno.copyFileSync(MODEL, `${folder}/tiny/config.json`);
    const path = `${folder}/c.json`;
    Deno.writeTextFileSync(path, JSON.stringify({ model: "tiny", kernels: { ops: ["ffn"] } }));
    const config = await loadConfig(path);
    assertEquals([config.model.name, config.modelPath], ["tiny", `${folder}/tiny/config.json`]);
    Deno.writeTextFileSync(`${folder}/tiny/config.json`, '{\n  "a": }');
    const error = assertThrows(
      () => resolveConfig({ model: "tiny", kernels: { ops: ["ffn"] } }, { path }),
      ConfigError,
    );
    assertEquals(error.problems[0]!.path, "model");
    assertEquals(error.problems[0]!.found, `"}" at ${folder}/tiny/config.json:2:8`);
  }));

Deno.test("a trace gives its lines; each bad one is named with its number", () =>
  inFolder((folder) => {
    const trace = (lines: readonly unknown[]) => {
      const text = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line));
      Deno.writeTextFileSync(`${folder}/t.jsonl`, text.join("\n"));
      const json = { model: MODEL, schedules: { requests: { trace: "t.jsonl" } } };
      return () => resolveConfig(json, { path: `${folder}/c.json` });
    };
    const good = [
      { arrival_s: 0, prompt_token_ids: [0, 31_999], output_tokens: 4094 },
      { arrival_s: 1.5, prompt_tokens: 1, output_tokens: 4095 },
    ];
    const config = trace(["", ...good, ""])();
    assertEquals(config.trace, good);
    assertEquals(config.document.schedules!.requests.trace, `${folder}/t.jsonl`);
    const bad = [
      { arrival_s: 0, output_tokens: 1 },
      { arrival_s: 0, prompt_tokens: 1, prompt_token_ids: [1], output_tokens: 1 },
      "{",
      { arrival_s: 0, prompt_token_ids: [32_000], output_tokens: 1 },
      { arrival_s: 0, prompt_tokens: 2, output_tokens: 4095 },
    ];
    const { problems } = assertThrows(trace(bad), ConfigError);
    const ends = ['or "prompt_token_ids"', "token ids below 32000", "of at most 4096 positions"];
    assertEquals(
      problems.map(({ path, legal }) => [
        path.replace("schedules.requests.trace ", ""),
        ends.findIndex((end) => legal.endsWith(end)),
      ]),
      [["line 1", 0], ["line 2", 0], ["line 3", 0], ["line 4", 1], ["line 5", 2]],
    );
    const empty = assertThrows(trace(["", " "]), ConfigError);
    assertEquals(empty.problems.map(({ legal }) => legal), ["a line or more"]);
  }));
