// Stands in for jsr:@std/fmt/duration where JSR cannot be reached, over pretty-ms.
import prettyMilliseconds from "npm:pretty-ms@10.0.0";

/** How to write; of the real package's styles only narrow, without zero units, is used. */
export interface FormatOptions {
  readonly style?: "narrow";
  readonly ignoreZero: true;
}

/** Writes milliseconds as `1m 39s 674ms`; the sign is dropped, 0 is the empty text. */
export function format(ms: number, _options: FormatOptions): string {
  if (ms === 0) return "";
  return prettyMilliseconds(Math.abs(ms), {
    separateMilliseconds: true,
    formatSubMilliseconds: true,
  });
}
