import { END_OF_TEXT, locateJsonError } from "./locate_json_error.ts";

/**
 * Parses JSON.
 * @throws {SyntaxError} that says at which line and column what was found and what is legal.
 */
export function parseJson(text: string): unknown {
  const misplaced = locateJsonError(text);
  if (misplaced === undefined) return JSON.parse(text);
  const { line, column, found, legal } = misplaced;
  throw new SyntaxError(
    `line ${line}, column ${column}: found ${
      found === END_OF_TEXT ? found : JSON.stringify(found)
    }; legal: ${legal}`,
  );
}
