import { assertEquals } from "@std/assert";
import { reportErrors } from "../../cli/exit_status.ts";
import { LogitsError } from "../../schedules/logits_error.ts";

/** What stderr gets, and the exit status, where a command fails. */
async function told(error: unknown, args: readonly string[] = []) {
  const lines: unknown[] = [];
  const before = console.error;
  console.error = (text: unknown) => void lines.push(text);
  try {
    const status = await reportErrors(args, () => Promise.reject(error));
    return [status, lines.join("\n")] as const;
  } finally {
    console.error = before;
  }
}

Deno.test("a full disk behind standard output is one message and status 2, a bug is status 1", async () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  assertEquals(await told(full), [2, "error: Cannot write the output: the disk is full"]);
  assertEquals(await told(new Error("oh")), [1, "error: oh"]);
  assertEquals(await told("oh"), [1, "error: oh"]);
});

Deno.test("logits that are not finite are a wrong result, status 3", async () => {
  assertEquals(await told(new LogitsError(2, 7)), [
    3,
    "error: Cannot choose the token at position 7 of request 2: its logits are not finite",
  ]);
});

Deno.test("the stack is told for --debug alone", async () => {
  const [, text] = await told(new Error("oh"), ["--debug"]);
  assertEquals(text.split("\n")[0], "error: oh");
  assertEquals(/\n {4}at /.test(text), true, text);
});
