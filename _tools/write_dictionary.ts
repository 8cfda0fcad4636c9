/** Writes results/README.md and results/columns.json: `deno run --allow-write=results _tools/write_dictionary.ts`. */

import { columnsJson, dataDictionary } from "../records/rows/data_dictionary.ts";

const results = new URL("../results/", import.meta.url);
Deno.writeTextFileSync(new URL("README.md", results), dataDictionary());
Deno.writeTextFileSync(new URL("columns.json", results), columnsJson());
