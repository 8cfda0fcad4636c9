import { assertEquals } from "@std/assert";
import { conclusion } from "../../cli/replay.ts";
import type { Replayed } from "../../report/replay_runs.ts";

type Row = Replayed["rows"][number];
const ROW: Row = { verdict: "reproduced", label: "ffn", reason: "2 % apart" };
const OTHER: Row = { verdict: "not reproduced", label: "add", reason: "wrong" };
const replay = (rows: Replayed["rows"]): Replayed => ({ rows, machine: ["m"], shaders: ["s"] });

Deno.test("a replay tells machine, shaders, every row and how many were reproduced", () => {
  assertEquals(conclusion(replay([ROW, OTHER]), "/again"), {
    text: "m\ns\nreproduced: ffn: 2 % apart\nnot reproduced: add: wrong\n" +
      "1 of 2 rows reproduced; the new run is in /again",
    status: 5,
  });
});

Deno.test("a replay is reproduced where all rows are, and there is one", () => {
  assertEquals(conclusion(replay([ROW, ROW]), "/again").status, 0);
  assertEquals(conclusion(replay([]), "/again").status, 5);
});
