// Stands in for jsr:@cliffy/table where JSR cannot be reached, over cli-table3.
import CliTable from "npm:cli-table3@0.6.5";

/** What a column looks like. */
export interface ColumnOptions {
  readonly align?: "left" | "right" | "center";
}

const NO_BORDER = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((name) => [name, ""]),
);

/** A table without borders: columns padded to their widths. */
export class Table {
  #header: readonly string[] = [];
  #body: readonly (readonly (string | number)[])[] = [];
  #columns: readonly ColumnOptions[] = [];
  #padding = 1;

  /** Names the columns. */
  header(cells: readonly string[]): this {
    this.#header = cells;
    return this;
  }

  /** Sets the rows. */
  body(rows: readonly (readonly (string | number)[])[]): this {
    this.#body = rows;
    return this;
  }

  /** Says what each column looks like. */
  columns(columns: readonly ColumnOptions[]): this {
    this.#columns = columns;
    return this;
  }

  /** Spaces between columns. */
  padding(spaces: number): this {
    this.#padding = spaces;
    return this;
  }

  /** The text of the table. */
  toString(): string {
    const rows = [...(this.#header.length > 0 ? [this.#header] : []), ...this.#body];
    if (rows.length === 0) return "";
    const table = new CliTable({
      chars: { ...NO_BORDER, middle: " ".repeat(this.#padding) },
      style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
      colAligns: rows[0]!.map((_, i) => this.#columns[i]?.align ?? "left"),
    });
    for (const row of rows) table.push([...row]);
    return table.toString();
  }

  /** Prints the table. */
  render(): this {
    console.log(this.toString());
    return this;
  }
}
