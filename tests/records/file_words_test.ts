import { assertEquals } from "@std/assert";
import { describeReadError } from "../../records/files/describe_read_error.ts";
import { fewLines } from "../../records/files/few_lines.ts";
import { FileError } from "../../records/files/file_error.ts";

const { AlreadyExists, IsADirectory, NotADirectory, NotCapable, NotFound, PermissionDenied } =
  Deno.errors;

Deno.test("an error of a file says in words what kept it from being made, read or written", () => {
  const causes = [
    ["it is full", "it is full"],
    [Object.assign(new Error("os error 28"), { code: "ENOSPC" }), "the disk is full"],
    [Object.assign(new Error("os error 30"), { code: "EROFS" }), "the file system is read-only"],
    [new NotCapable("write"), "Deno has no permission for it"],
    [new PermissionDenied("os error 13"), "permission denied"],
    [new NotFound("os error 2"), "it is not there"],
    [new AlreadyExists("os error 17"), "it exists already"],
    [new NotADirectory("os error 20"), "a part of the path is a file"],
    [new Error("something else"), "something else"],
    [7, "7"],
  ] as const;
  for (const [cause, words] of causes) {
    const error = new FileError("write rows to", "a/b.csv", { cause });
    assertEquals(error.message, `Cannot write rows to "a/b.csv": ${words}`);
    assertEquals([error.path, error.cause], ["a/b.csv", cause]);
  }
});

Deno.test("an input that cannot be read says why in words", () => {
  const causes = [
    [new NotFound(), "is not there"],
    [new NotCapable(), "Deno has no permission for"],
    [new PermissionDenied(), "may not be read"],
    [new IsADirectory(), "is a folder"],
    [new NotADirectory(), "lies under a file"],
    [new Error("odd"), "cannot be read: odd"],
    ["odd", "cannot be read: odd"],
  ] as const;
  assertEquals(causes.map(([cause]) => describeReadError(cause)), causes.map(([, words]) => words));
});

Deno.test("ten lines are told, of more the first ten and their number", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
  assertEquals(fewLines(lines(10)), lines(10));
  assertEquals(fewLines(lines(11)), [...lines(10), "and 1 more"]);
  assertEquals(fewLines(lines(13)).at(-1), "and 3 more");
});
