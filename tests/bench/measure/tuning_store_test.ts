import { assertEquals } from "@std/assert";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import { inFolder } from "../../in_folder.ts";

const KEY = "all_reduce workers host 4";

Deno.test("a store gives back what was fastest, of the nearest size by ratio, also from its file", () =>
  inFolder(async (folder) => {
    const store = await TuningStore.open("An Adapter (1)", folder);
    assertEquals(store.noteVariants("gemm k=64", { naive: 3, tiled: 2 }), "tiled");
    store.noteAlgorithms(KEY, { messageBytes: 1 << 20, timesUs: { ring: 5, one_shot: 9 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 1, one_shot: 2 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 4, one_shot: 2 } });
    await store.save();
    for (const one of [store, await TuningStore.open("An Adapter (1)", folder)]) {
      assertEquals([one.bestVariant("gemm k=64"), one.bestVariant("gemv")], ["tiled", undefined]);
      const best = [1, 1 << 14, 1 << 16].map((bytes) => one.bestAlgorithm(KEY, bytes));
      assertEquals(best, ["one_shot", "one_shot", "ring"]);
      assertEquals(one.bestAlgorithm("all_gather", 1), undefined);
    }
  }));

Deno.test("a tuning file that is broken, or of another adapter of the same slug, is begun anew", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a_b.json`;
    const entries = { gemm: { best: "tiled", timesUs: { tiled: 1 } } };
    for (const text of ["{", "null", JSON.stringify({ adapter: "A-B", entries })]) {
      await Deno.writeTextFile(path, text);
      const store = await TuningStore.open("A B", folder);
      assertEquals(store.bestVariant("gemm"), undefined, text);
      store.noteVariants("gemm", { naive: 1 });
      await store.save();
      assertEquals((await TuningStore.open("A B", folder)).bestVariant("gemm"), "naive");
    }
  }));
