/** Reads CSV files of results, finished or cut off in the middle of a row. */

import { parse } from "@std/csv";
import { FileError } from "./file_error.ts";
import { readMarkedText, withoutMark } from "./read_text.ts";

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
 * Needs read permission. FileError where it cannot be read or is no CSV of results.
 */
export function readRows(path: string): WholeRows {
  try {
    return parseRows(readMarkedText(path));
  } catch (cause) {
    throw new FileError("read rows of", path, { cause });
  }
}

/**
 * As {@linkcode readRows}, from text, which may have a byte order mark and any line endings.
 * @throws {SyntaxError} that names the line: rows of another length, a row or a column twice, semicolons or
 * tabs between cells, decimal commas.
 */
export function parseRows(text: string): WholeRows {
  const { end, lines } = wholeRecords(text);
  const whole = text.slice(0, end);
  const lengthBytes = new TextEncoder().encode(whole).length;
  const [headers = [], ...records] = parse(withoutMark(whole));
  checkHeaders(headers);
  const seen = new Map<string, number>();
  const rows = records.map((record, place) => {
    const line = lines[place + 1]!;
    if (record.length !== headers.length) {
      throw new SyntaxError(
        `line ${line} has ${record.length} cells; legal are ${headers.length}, as in the header`,
      );
    }
    const row = Object.fromEntries(
      headers.map((header, place) => [header, bareText(record[place]!)]),
    );
    checkRow(row, line, seen);
    return row;
  });
  return { headers, rows, lengthBytes };
}

function checkHeaders(headers: readonly string[]): void {
  for (const [mark, name] of [[";", "semicolons"], ["\t", "tabs"]] as const) {
    if (headers.length === 1 && headers[0]!.includes(mark)) {
      throw new SyntaxError(`line 1 has ${name} between its cells; legal are commas`);
    }
  }
  const twice = headers.find((header, place) => headers.indexOf(header) !== place);
  if (twice !== undefined) throw new SyntaxError(`line 1 has the column "${twice}" twice`);
}

/** `seen` has the line of each row so far: by row key, or by all cells where a file has none. */
function checkRow(
  row: Readonly<Record<string, string>>,
  line: number,
  seen: Map<string, number>,
): void {
  for (const [header, cell] of Object.entries(row)) {
    if (!/^-?\d+,\d+$/.test(cell)) continue;
    throw new SyntaxError(
      `line ${line}, ${header}: found the decimal comma "${cell}"; legal: a decimal point`,
    );
  }
  const key = row["row_key"] ?? JSON.stringify(row);
  if (key === "") return;
  const first = seen.get(key);
  if (first !== undefined) {
    throw new SyntaxError(`line ${line} has the row of line ${first} again (${key.slice(0, 80)})`);
  }
  seen.set(key, line);
}

/** Where the last whole record ends, and the line at which each begins, counted from 1; empty lines are none. */
function wholeRecords(text: string): { readonly end: number; readonly lines: readonly number[] } {
  const lines: number[] = [];
  let quoted = false;
  let [end, line, first] = [0, 1, 1];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    if (text[at] !== "\n") continue;
    line++;
    if (quoted) continue; // a cut can fall behind a line break inside quotes
    const isEmpty = at === end || (at === end + 1 && text[end] === "\r");
    if (!isEmpty) lines.push(first);
    [end, first] = [at + 1, line];
  }
  return { end, lines };
}
