import { assertEquals } from "@std/assert";
import { Stopwatch } from "../../../bench/suites/schedules/stopwatch.ts";
import type { Interval } from "../../../runtime/replica_trace.ts";
import { generator } from "../../../statistics/counter_generator.ts";

const A = [{ start: 1, end: 4 }, { start: 3, end: 6 }, { start: 9, end: 10 }];
const B = [{ start: 2, end: 9 }];

Deno.test("a condition's time is counted between its edges, within windows that begin and end anywhere", () => {
  const any = new Stopwatch([A], ([count]) => count! > 0); // from 1 to 6 and from 9 to 10
  const windows = [[0, 1], [0, 2], [0, 20], [2, 5], [5, 9.5], [6, 9], [10, 12], [5, 2], [4, 4]];
  const found = windows.map(([start, end]) => any.msWithin({ start: start!, end: end! }));
  assertEquals(found, [0, 1, 6, 3, 1.5, 0, 0, 0, 0]);
  const two = new Stopwatch([A], ([count]) => count! === 2); // from 3 to 4
  assertEquals(two.msWithin({ start: 0, end: 3.25 }), 0.25);
  assertEquals(two.msWithin({ start: 3.25, end: 20 }), 0.75);
});

Deno.test("a condition is asked with the count of each list", () => {
  const both = new Stopwatch([A, B], ([a, b]) => a! === 1 && b! === 1); // from 2 to 3, from 4 to 6
  assertEquals(both.msWithin({ start: 0, end: 20 }), 3);
  assertEquals(both.msWithin({ start: 2.5, end: 5 }), 1.5);
  const none = new Stopwatch([A, B], ([a, b]) => a! === 0 && b! > 0); // from 6 to 9
  assertEquals(none.msWithin({ start: 0, end: 20 }), 3);
});

Deno.test("nothing covers a moment where there are no intervals", () => {
  assertEquals(new Stopwatch([[]], () => true).msWithin({ start: 0, end: 9 }), 0);
});

Deno.test("any window of any intervals is counted as moment by moment", () => {
  const random = generator("stopwatch", 1);
  const place = () => Math.floor(random() * 20);
  for (let turn = 0; turn < 50; turn++) {
    const lists = [3, 5].map((length) =>
      Array.from({ length }, (): Interval => {
        const start = place();
        return { start, end: start + 1 + place() % 7 };
      })
    );
    const holds = ([a, b]: readonly number[]) => a! > 0 && b! < 2;
    const counts = (moment: number) =>
      lists.map((list) => list.filter(({ start, end }) => start <= moment && moment < end).length);
    const first = Math.min(...lists.flat().map(({ start }) => start));
    const last = Math.max(...lists.flat().map(({ end }) => end));
    const [start, end] = [first + place() % 5, last - place() % 5];
    let expected = 0;
    for (let moment = start; moment < end; moment++) if (holds(counts(moment))) expected++;
    assertEquals(new Stopwatch(lists, holds).msWithin({ start, end }), Math.max(0, expected));
  }
});
