/** Reads timeline.json, Chrome's trace format. */

import { z } from "zod";
import { FileError } from "../files/file_error.ts";
import { parseJson } from "../files/parse_json.ts";
import { readText } from "../files/read_text.ts";

const EVENT_SCHEMA = z.looseObject({
  ph: z.string(),
  name: z.string().optional(),
  pid: z.number(),
  tid: z.number().optional(),
  ts: z.number().optional(),
  dur: z.number().optional(),
  id: z.union([z.string(), z.number()]).optional(),
  args: z.record(z.string(), z.unknown()).optional(),
});
const TRACE_SCHEMA = z.looseObject({ traceEvents: z.array(EVENT_SCHEMA) });

/** An event of Chrome's trace format; times in us. */
export type TraceEvent = Readonly<z.output<typeof EVENT_SCHEMA>>;

/** Reads a file of events. Needs read permission; FileError, with the path in it, where it is none. */
export function readTraceEvents(path: string): readonly TraceEvent[] {
  try {
    const json = parseJson(readText(path));
    const parsed = TRACE_SCHEMA.safeParse(json);
    if (parsed.success) return (json as z.output<typeof TRACE_SCHEMA>).traceEvents;
    const { path: place, message } = parsed.error.issues[0]!;
    throw new SyntaxError(`${place.join(".") || "the file"}: ${message}`);
  } catch (cause) {
    throw new FileError("read the timeline", path, { cause });
  }
}
