/** Reads CSV files of results, finished or cut off in the middle of a row. */

import { parse } from "@std/csv";
import { FileError } from "./file_error.ts";

/** The whole rows of a CSV file. */
export interface WholeRows {
  readonly headers: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** How many bytes they and the header take; what follows is a row that was cut off. */
  readonly lengthBytes: number;
}

/** Text cells that a spreadsheet could run; an apostrophe in front of them makes them harmless. */
const FORMULA = /^'*[=+\-@\t\r\n]/;

/** Makes a text harmless to spreadsheets and line endings plain; {@linkcode bareText} undoes it. */
export function guardText(text: string): string {
  const plain = text.replace(/\r\n?/g, "\n");
  return FORMULA.test(plain) ? `'${plain}` : plain;
}

/** Takes the apostrophe of {@linkcode guardText} away again. */
export function bareText(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

/**
 * Reads the whole rows of a CSV file by header; a last row that was cut off is left out.
 *
 * Needs read permission. FileError where it cannot be read or is no CSV.
 */
export function readRows(path: string): WholeRows {
  try {
    return parseRows(Deno.readTextFileSync(path));
  } catch (cause) {
    throw new FileError("read rows of", path, { cause });
  }
}

/** As {@linkcode readRows}, from text. */
export function parseRows(text: string): WholeRows {
  const whole = text.slice(0, endOfLastRow(text));
  const lengthBytes = new TextEncoder().encode(whole).length;
  const [headers = [], ...records] = parse(whole);
  const odd = records.findIndex((record) => record.length !== headers.length);
  if (odd >= 0) throw new SyntaxError(`row ${odd + 1} has not ${headers.length} cells`);
  const rows = records.map((record) =>
    Object.fromEntries(headers.map((header, place) => [header, bareText(record[place] ?? "")]))
  );
  return { headers, rows, lengthBytes };
}

/** Where the last line break outside quotes ends: a cut can fall behind one inside quotes. */
function endOfLastRow(text: string): number {
  let quoted = false;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === "\n" && !quoted) end = at + 1;
  }
  return end;
}
