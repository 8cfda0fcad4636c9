import { assertEquals } from "@std/assert";
import { TuningStore } from "../../../bench/measure/tuning_store.ts";
import { inFolder } from "../../in_folder.ts";

/** What an adapter of a name says of itself. */
function adapter(name: string, maxBindGroups = 4) {
  const limits = { maxBindGroups };
  return { name, vendor: "", architecture: "", type: "unknown", features: [], limits } as const;
}

const KEY = "all_reduce workers host 4";

/** Notes times with shaders of which nobody asks. */
function noteTimes(store: TuningStore, shapeClass: string, timesUs: Record<string, number>) {
  return store.noteVariants(shapeClass, { timesUs, shaders: {} });
}

Deno.test("a changed shader or driver is tuned again", () =>
  inFolder(async (folder) => {
    const shaders = { naive: "a", tiled: "b" };
    const store = TuningStore.open(adapter("A B"), folder);
    store.noteVariants("gemm", { timesUs: { naive: 3, tiled: 2 }, shaders });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 20, timesUs: { ring: 5 } });
    await store.save();
    const same = TuningStore.open(adapter("A B"), folder);
    assertEquals(same.bestVariant("gemm", shaders), "tiled");
    assertEquals(same.bestVariant("gemm", { tiled: "b" }), "tiled");
    assertEquals(same.bestVariant("gemm", { ...shaders, tiled: "c" }), undefined);
    assertEquals(same.bestVariant("gemm", { ...shaders, online: "d" }), undefined);
    const other = TuningStore.open(adapter("A B", 8), folder);
    assertEquals([other.bestVariant("gemm", shaders), other.bestAlgorithm(KEY, 1)], [
      undefined,
      undefined,
    ]);
  }));

Deno.test("a store gives back what was fastest, of the nearest size by ratio, also from its file", () =>
  inFolder(async (folder) => {
    const store = TuningStore.open(adapter("An Adapter (1)"), folder);
    assertEquals(noteTimes(store, "gemm k=64", { naive: 3, tiled: 2 }), "tiled");
    store.noteAlgorithms(KEY, { messageBytes: 1 << 20, timesUs: { ring: 5, one_shot: 9 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 1, one_shot: 2 } });
    store.noteAlgorithms(KEY, { messageBytes: 1 << 10, timesUs: { ring: 4, one_shot: 2 } });
    await store.save();
    for (const one of [store, TuningStore.open(adapter("An Adapter (1)"), folder)]) {
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
      const store = TuningStore.open(adapter("A B"), folder);
      assertEquals(store.bestVariant("gemm"), undefined, text);
      noteTimes(store, "gemm", { naive: 1 });
      await store.save();
      assertEquals(TuningStore.open(adapter("A B"), folder).bestVariant("gemm"), "naive");
    }
  }));

Deno.test("a folder that cannot be written costs what was tuned, once said, and not the run", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const store = TuningStore.open(adapter("A B"), `${folder}/file`);
    const said: unknown[] = [];
    const { error } = console;
    console.error = (text: unknown) => void said.push(text);
    try {
      for (const naive of [2, 1]) {
        noteTimes(store, "gemm", { naive });
        await store.save();
      }
    } finally {
      console.error = error;
    }
    assertEquals(said.length, 1);
    assertEquals(String(said[0]).startsWith("warning: what was tuned is not kept: "), true);
    assertEquals(store.bestVariant("gemm"), "naive");
  }));
