import { assertEquals } from "@std/assert";
import { ValidationError } from "@cliffy/command";
import { EXIT, exitStatusOf, reportErrors } from "../../cli/exit_status.ts";
import { RankError } from "../../collectives/rank_error.ts";
import { ConfigError } from "../../config/config_error.ts";
import { DeviceError, type DeviceErrorKind } from "../../device/device_error.ts";
import { CheckpointError } from "../../model/safetensors.ts";
import { FileError } from "../../records/files/file_error.ts";
import { ComparisonError } from "../../report/run_differences.ts";
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

Deno.test("every error has the documented status, one of a rank's device as if it were ours", () => {
  const rank = (cause?: unknown) =>
    new RankError({ globalRank: 1, did: "threw" }, cause === undefined ? {} : { cause });
  const device = (kind: DeviceErrorKind) => new DeviceError(kind, "oh");
  const statuses: readonly (readonly [unknown, number])[] = [
    [new ValidationError("oh"), 2],
    [new ValidationError("oh", { exitCode: 7 }), 7],
    [new ConfigError("a.json", []), 2],
    [new FileError("read", "a", { cause: "oh" }), 2],
    [new CheckpointError("a", []), 2],
    [new ComparisonError(new Map()), 5],
    [new LogitsError(0, 0), 3],
    [device("NoAdapter"), 6],
    [device("DeviceLost"), 6],
    [device("OutOfMemory"), 2],
    [device("Validation"), 1],
    [rank(), 1],
    [rank(device("DeviceLost")), 6],
    [rank(new LogitsError(0, 0)), 3],
    [Object.assign(new Error("oh"), { code: "ENOENT" }), 1],
    [{ code: "ENOSPC" }, 1],
    [undefined, 1],
  ];
  for (const [error, status] of statuses) assertEquals(exitStatusOf(error), status, `${error}`);
  assertEquals(Object.values(EXIT), [0, 1, 2, 3, 4, 5, 6, 130]);
});

Deno.test("a command is given its words without --debug, and its status is the program's", async () => {
  const given: (readonly string[])[] = [];
  const status = await reportErrors(["run", "--debug", "x"], (words) => {
    given.push(words);
    return Promise.resolve(4);
  });
  assertEquals([status, given], [4, [["run", "x"]]]);
  const [, text] = await told("oh", ["--debug"]);
  assertEquals(text, "error: oh");
});
