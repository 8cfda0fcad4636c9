/** Builds collectives/reduce.wasm, which is committed, from collectives/reduce.wat. */

import wabt from "wabt";

const SOURCE = new URL("../collectives/reduce.wat", import.meta.url);

/** The binary that the source builds to, always the same. */
export async function buildReduce(): Promise<Uint8Array> {
  const tools = await wabt();
  const text = Deno.readTextFileSync(SOURCE);
  const module = tools.parseWat("reduce.wat", text, {
    simd: true,
    threads: true,
    bulk_memory: true,
  });
  try {
    const { buffer } = module.toBinary({ log: false, write_debug_names: false });
    // The runtime's own check: wabt's validates without the features of the text.
    if (!WebAssembly.validate(Uint8Array.from(buffer))) {
      throw new Error("Cannot build reduce.wasm: invalid");
    }
    return buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) {
  Deno.writeFileSync(new URL("../collectives/reduce.wasm", import.meta.url), await buildReduce());
}
