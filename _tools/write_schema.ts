/** Writes configs/schema.json, so that editors complete and check configurations. */

import { z } from "zod";
import { CONFIG_SCHEMA } from "../config/config_schema.ts";

/** The JSON schema of a configuration, made from the schema that checks it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(CONFIG_SCHEMA, { io: "input" });
}

/** The text of configs/schema.json. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** Writes the schema to a file; needs write permission for it. */
export function writeSchema(path: string | URL): void {
  Deno.writeTextFileSync(path, configSchemaText());
}

if (import.meta.main) writeSchema(new URL("../configs/schema.json", import.meta.url));
