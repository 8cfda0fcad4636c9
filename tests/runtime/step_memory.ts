// Prints, as JSON, how much memory 3,000 steps left behind; needs --v8-flags=--expose-gc.
import { Device } from "../../device/device.ts";
import { Rank } from "../../runtime/rank.ts";
import { lastVariant } from "./last_variant.ts";
import { dummy, tinyModel, tinyStage } from "./tiny.ts";

const { gc } = globalThis as unknown as { readonly gc: () => void };

await using device = await Device.open();
const model = tinyModel({ num_hidden_layers: 1 });
const stage = tinyStage(model, { maxModelLen: 64 });
const options = { stage, weights: dummy(model), choose: lastVariant, memoryBytes: Infinity };
using rank = await Rank.open(device, options);

/** Bytes that are held when all garbage is gone: JavaScript's own, and everything else. */
async function heldAfter(
  steps: number,
): Promise<{ readonly heap: number; readonly native: number }> {
  for (let i = 0; i < steps; i++) {
    await rank.step({
      tokenIds: [i % 101],
      positions: [i % 64],
      slots: [i % 3],
      logitsIndices: [0],
    });
    if (i % 200 === 0) gc(); // else the system keeps what garbage took at its height
  }
  gc();
  const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
  return { heap: heapUsed, native: rss - heapTotal };
}

const before = await heldAfter(1000);
const ledger = device.ledger.totalBytes;
const after = await heldAfter(3000);
console.log(JSON.stringify({
  heap: after.heap - before.heap,
  native: after.native - before.native,
  ledger: device.ledger.totalBytes - ledger,
}));
