import { assert, assertEquals } from "@std/assert";
import { shardbench } from "./shardbench.ts";

/** What help says of each command: its options in order. Flags are promises: add, never rename. */
const PROMISED = new URL("help/options.json", import.meta.url);

Deno.test("help of every command lists the promised options and no others", async () => {
  const promised: Record<string, readonly string[]> = JSON.parse(
    await Deno.readTextFile(PROMISED),
  );
  const found = await Promise.all(
    Object.keys(promised).map(async (command) => {
      const { status, stdout } = await shardbench([
        ...command.split(" ").filter(Boolean),
        "--help",
      ]);
      assertEquals(status, 0, command);
      const lines = stdout.split("\n").filter((line) => /^\s*-/.test(line));
      const flags = lines.flatMap((line) => line.match(/^\s*((?:-[\w-]+,? )+)/)?.[1] ?? [])
        .flatMap((text) => text.match(/--[\w-]+/g) ?? []);
      return [command, [...new Set(flags)].filter((flag) => flag !== "--help")] as const;
    }),
  );
  assertEquals(Object.fromEntries(found), promised);
});

Deno.test("the root's help lists every command", async () => {
  const { stdout } = await shardbench(["--help"]);
  const promised = JSON.parse(await Deno.readTextFile(PROMISED));
  for (const command of Object.keys(promised)) assert(stdout.includes(command), command);
});
