import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type OpenLayout, openLayout } from "../../../bench/measure/open_layout.ts";
import { loadConfig } from "../../../config/config.ts";
import { DeviceError } from "../../../device/device_error.ts";
import type { GenerationRequest } from "../../../runtime/generation.ts";
import { inFolder } from "../../in_folder.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";

Deno.test.afterAll(closeSharedDevice);

const MODEL = {
  architectures: ["LlamaForCausalLM"],
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 64,
  max_position_embeddings: 64,
};

async function open(tensorParallelSize: number): Promise<OpenLayout> {
  const device = await sharedDevice();
  let layout: OpenLayout;
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(MODEL));
    const text = JSON.stringify({ model: `${folder}/model.json`, dtype: "float32" });
    await Deno.writeTextFile(`${folder}/config.json`, text);
    const config = await loadConfig(`${folder}/config.json`, { sizes: { tensorParallelSize } });
    layout = await openLayout(config, { maxModelLen: 8, device });
  });
  return layout!;
}

async function idsOf(layout: OpenLayout, request: GenerationRequest): Promise<readonly number[]> {
  return await Array.fromAsync(layout.generate(request).tokens());
}

const FIRST = { promptTokenIds: [1, 2, 3], maxTokens: 4 };
const SECOND = { promptTokenIds: [9, 8], maxTokens: 4 };

for (const tp of [1, 2]) {
  Deno.test(`a layout of ${tp} refuses what it cannot generate and goes on`, async () => {
    await using layout = await open(tp);
    const ids = await idsOf(layout, FIRST);
    for (
      const [wrong, words] of [
        [{ promptTokenIds: [1, 2, 3, 4, 5, 6], maxTokens: 5 }, "maxModelLen 8"],
        [{ promptTokenIds: [64], maxTokens: 1 }, "a prompt token is 64; legal: 0 to 63"],
        [{ promptTokenIds: [1.5], maxTokens: 1 }, "a prompt token is 1.5"],
        [{ promptTokenIds: [-1], maxTokens: 1 }, "a prompt token is -1"],
        [{ promptTokenIds: [], maxTokens: 1 }, "promptTokenIds is 0"],
        [{ promptTokenIds: [1], maxTokens: NaN }, "maxTokens is NaN"],
      ] as const
    ) assertThrows(() => layout.generate(wrong), RangeError, words);
    assertEquals(await idsOf(layout, FIRST), ids);
  });

  Deno.test(`a layout of ${tp} generates one at a time, and nothing when it is closed`, async () => {
    const layout = await open(tp);
    const alone = [await idsOf(layout, FIRST), await idsOf(layout, SECOND)];
    const under = layout.generate(FIRST);
    const tokens = under.tokens();
    const ids = [(await tokens.next()).value!];
    await assertRejects(() => idsOf(layout, SECOND), Error, "another generation");
    for await (const id of tokens) ids.push(id);
    assertEquals([ids, await idsOf(layout, SECOND)], alone);
    const speed = await under.speed();
    assertEquals([speed.decode_tokens, await under.speed()], [3, speed]);
    const late = layout.generate(FIRST);
    await layout[Symbol.asyncDispose]();
    await assertRejects(() => idsOf(layout, FIRST), DeviceError, "closed");
    await assertRejects(() => late.tokens().next(), DeviceError, "closed");
  });
}
