import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadConfig, resolveConfig } from "../../config/config.ts";
import { ConfigError } from "../../config/config_error.ts";
import { CheckpointError, checkpointPlaces } from "../../model/safetensors.ts";
import { locateJsonError } from "../../records/files/locate_json_error.ts";
import { readText } from "../../records/files/read_text.ts";
import { inFolder } from "../in_folder.ts";

const MODEL = new URL("../../models/mistral_7b.json", import.meta.url).pathname;
const KERNELS = { ops: ["ffn"] };

/** The message of what a configuration is refused for. */
async function refusal(json: unknown): Promise<string> {
  let message = "";
  await inFolder(async (folder) => {
    const path = `${folder}/config.json`;
    await Deno.writeTextFile(path, typeof json === "string" ? json : JSON.stringify(json));
    message = (await assertRejects(() => loadConfig(path), ConfigError)).message;
  });
  return message;
}

Deno.test("devices, folders and huge files are refused before they are read, behind links too", async () => {
  await inFolder(async (folder) => {
    await Deno.symlink("/dev/zero", `${folder}/zero.json`);
    await Deno.mkdir(`${folder}/model`);
    await Deno.symlink("/dev/zero", `${folder}/model/config.json`);
    for (const path of ["/dev/zero", `${folder}/zero.json`]) {
      const { message } = await assertRejects(() => loadConfig(path), ConfigError);
      assert(message.includes("which is no regular file"), message);
    }
    for (const model of ["/dev/zero", `${folder}/zero.json`, `${folder}/model`]) {
      const config = { model, kernels: KERNELS };
      const error = assertThrows(() => resolveConfig(config, { path: "c.json" }), ConfigError);
      assert(error.message.includes("which is no regular file"), error.message);
    }
    const trace = { requests: { trace: "/dev/zero" } };
    const error = assertThrows(
      () => resolveConfig({ model: MODEL, schedules: trace }, { path: "c.json" }),
      ConfigError,
    );
    assert(error.message.includes("which is no regular file"), error.message);

    await Deno.symlink("/dev/zero", `${folder}/model/model.safetensors`);
    const weights = assertThrows(() => checkpointPlaces(`${folder}/model`), CheckpointError);
    assert(weights.message.includes("it is no regular file"), weights.message);
    await Deno.symlink("/dev/zero", `${folder}/model/model.safetensors.index.json`);
    const index = assertThrows(() => checkpointPlaces(`${folder}/model`), CheckpointError);
    assert(index.message.includes("it is no regular file"), index.message);

    await Deno.writeTextFile(`${folder}/long.json`, "x".repeat(101));
    assertThrows(() => readText(`${folder}/long.json`, 100), Error, "has 101 bytes; at most 100");
    await Deno.writeTextFile(`${folder}/bom.json`, "\uFEFF{}");
    assertEquals(readText(`${folder}/bom.json`), "{}");
  });
});

Deno.test("a message lists ten problems and counts the others", async () => {
  const unknown = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key_${i}`, i]));
  const message = await refusal({ model: MODEL, kernels: { ...KERNELS, ...unknown } });
  assertEquals(message.split("\n").length, 12);
  assert(message.includes("20000 problems") && message.endsWith("and 19990 more"), message);
  const ten = Object.fromEntries(Object.entries(unknown).slice(0, 10));
  assert(!(await refusal({ model: MODEL, kernels: { ...KERNELS, ...ten } })).includes("more"));
});

Deno.test("names of what every object has are unknown keys, not errors of ours", async () => {
  const overrides = await refusal({
    model: MODEL,
    model_overrides: { toString: 1 },
    kernels: KERNELS,
  });
  assert(overrides.includes('the unknown key "toString"'), overrides);
  const top = await refusal({ model: MODEL, constructor: 1, kernels: KERNELS });
  assert(top.includes('the unknown key "constructor"'), top);
});

Deno.test("long texts and deep nesting are read, or refused with the limit", async () => {
  assertEquals(locateJsonError(`"${"x".repeat(1e7)}"`), undefined);
  assertEquals(locateJsonError(`"${"\\n".repeat(1e6)}"`), undefined);
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assertEquals(locateJsonError(nested(500)), undefined);
  assertEquals(locateJsonError(nested(501))?.legal, "at most 500 levels");
  assert((await refusal(nested(200_000))).includes("at most 500 levels"));
  assertEquals(locateJsonError('{"a": "b\\x"}'), {
    line: 1,
    column: 7,
    found: '"',
    legal: "a value",
  });
});

Deno.test("sizes that no machine has are refused when the configuration is read", async () => {
  const layers = { num_hidden_layers: 2147483647 };
  assert((await refusal({ model: MODEL, model_overrides: layers, kernels: KERNELS }))
    .includes("at most 10000"));
  const requests = { count: 2147483647, prompt_tokens: 1, output_tokens: 1 };
  assert((await refusal({ model: MODEL, schedules: { requests } })).includes("at most 1000000"));
});
