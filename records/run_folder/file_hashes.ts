import { join } from "node:path";
import { shortHash } from "../files/short_hash.ts";

/** Files of a run folder that are written whole: their hashes are in its manifest. */
const WHOLE = /^(ranks|links|pipeline_.*)\.csv$|^timeline\.json$/;

/** Hashes of the files of a run folder that no sample record covers, by name. */
export function hashFiles(folder: string): Readonly<Record<string, string>> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    WHOLE.test(name)
  );
  return Object.fromEntries(
    names.sort().map((name) => [name, shortHash(Deno.readTextFileSync(join(folder, name)))]),
  );
}
