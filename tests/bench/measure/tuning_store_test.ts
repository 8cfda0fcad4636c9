import { assertEquals } from "@std/assert";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import { inFolder } from "../../in_folder.ts";

const KEY = "all_reduce workers host 4";

Deno.test("a store gives back what was fastest, of the nearest size by ratio, also from its file", () =>
  inFolder(async (folder) => {
    const store = TuningStore.open("An Adapter (1)", folder);
    assertEquals(store.noteVariants("gemm k=64", { naive: 3, tiled: 2 }), "tiled");
    store.noteAlgorithms(KEY, { messageBytes: 1 << 20, timesUs: { ring: 5, one_shot: 9 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 1, one_shot: 2 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 4, one_shot: 2 } });
    await store.save();
    for (const one of [store, TuningStore.open("An Adapter (1)", folder)]) {
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
      const store = TuningStore.open("A B", folder);
      assertEquals(store.bestVariant("gemm"), undefined, text);
      store.noteVariants("gemm", { naive: 1 });
      await store.save();
      assertEquals(TuningStore.open("A B", folder).bestVariant("gemm"), "naive");
    }
  }));

Deno.test("a folder that cannot be written costs what was tuned, once said, and not the run", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const store = TuningStore.open("A B", `${folder}/file`);
    const said: unknown[] = [];
    const { error } = console;
    console.error = (text: unknown) => void said.push(text);
    try {
      for (const naive of [2, 1]) {
        store.noteVariants("gemm", { naive });
        await store.save();
      }
    } finally {
      console.error = error;
    }
    assertEquals(said.length, 1);
    assertEquals(String(said[0]).startsWith("warning: what was tuned is not kept: "), true);
    assertEquals(store.bestVariant("gemm"), "naive");
  }));
