import { assertEquals } from "@std/assert";
import { RankError, type RankFault } from "../../collectives/rank_error.ts";
import { DeviceError } from "../../device/device_error.ts";
import { serveQuestions } from "../../runtime/serve_questions.ts";

/** A Worker's scope that is played: what it answers, and what happens to it. */
function played(obey: (message: string) => unknown) {
  const log: unknown[] = [];
  const listeners = new Map<string, () => void>();
  const scope = {
    addEventListener: (kind: string, listener: () => void) => void listeners.set(kind, listener),
    postMessage: (answer: unknown) => void log.push(answer),
    close: () => void log.push("closed"),
    onmessage: undefined as ((event: unknown) => void) | undefined,
  };
  serveQuestions<string>(scope as unknown as DedicatedWorkerGlobalScope, {
    obey: (message) => Promise.try(() => obey(message)),
    abort: (did: RankFault["did"]) => void log.push(`abort: ${did}`),
    isLast: (message) => message === "leave",
  });
  const ask = async (message: string, id?: number) => {
    scope.onmessage!({ data: { id, message } });
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { log, ask, scope, happens: (kind: string) => listeners.get(kind)!() };
}

Deno.test("questions are answered one after another; what is only told is not answered", async () => {
  const order: string[] = [];
  const gate = Promise.withResolvers<string>();
  const { log, ask } = played(async (message) => {
    order.push(`begin ${message}`);
    const result = message === "slow" ? await gate.promise : message;
    order.push(`end ${message}`);
    return result;
  });
  await ask("slow", 1);
  await ask("told");
  await ask("fast", 2);
  assertEquals([order, log], [["begin slow"], []]);
  gate.resolve("done");
  for (let i = 0; i < 30; i++) await Promise.resolve();
  assertEquals(order, ["slow", "told", "fast"].flatMap((one) => [`begin ${one}`, `end ${one}`]));
  assertEquals(log, [
    { id: 1, kind: "done", result: "done" },
    { id: 2, kind: "done", result: "fast" },
  ]);
});

Deno.test("an error is said, then done; a peer's fault is only said", async () => {
  const failed = async (error: unknown, id?: number) => {
    const { log, ask } = played(() => Promise.reject(error));
    await ask("work", id);
    return log;
  };
  assertEquals(await failed(new Error("oops"), 3), [
    { id: 3, kind: "failed", message: "oops", did: "threw" },
    "abort: threw",
  ]);
  assertEquals(await failed("words"), [
    { id: undefined, kind: "failed", message: "words", did: "threw" },
    "abort: threw",
  ]);
  assertEquals(await failed(new DeviceError("DeviceLost", "gone"), 4), [
    { id: 4, kind: "failed", message: "gone", did: "lost its device" },
    "abort: lost its device",
  ]);
  assertEquals((await failed(new DeviceError("Internal", "odd"), 4))[1], "abort: threw");
  const peer = Object.assign(Object.create(RankError.prototype), { message: "rank 1 threw" });
  assertEquals(await failed(peer, 5), [{ id: 5, kind: "aborted", message: "rank 1 threw" }]);
});

Deno.test("a Worker that goes without being asked is at fault; one that leaves is not", async () => {
  const gone = played(() => "bye");
  gone.happens("error");
  gone.happens("unhandledrejection");
  gone.happens("unload");
  gone.scope.close();
  assertEquals(gone.log, [
    "abort: threw",
    "abort: threw",
    "abort: exited",
    "abort: closed itself",
    "closed",
  ]);
  const left = played(() => "bye");
  await left.ask("leave", 9);
  left.happens("unload");
  left.scope.close();
  assertEquals(left.log, [{ id: 9, kind: "done", result: "bye" }, "closed", "closed"]);
});
