/** An error lists so many problems; the others are counted. */
const MAX_LINES = 10;

/** The first lines of a list, and how many more there are: no message grows with what it is about. */
export function fewLines(lines: readonly string[]): readonly string[] {
  const more = lines.length - MAX_LINES;
  return more <= 0 ? lines : [...lines.slice(0, MAX_LINES), `and ${more} more`];
}
