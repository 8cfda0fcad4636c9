import { assertEquals, assertRejects } from "@std/assert";
import { exitStatusOf } from "../../cli/exit_status.ts";
import { DeviceError } from "../../device/device_error.ts";
import { tryDriver } from "../../device/own_device.ts";

/** Starts a Worker that runs a text. */
function start(text: string): () => Worker {
  const url = `data:application/javascript,${encodeURIComponent(text)}`;
  return () => new Worker(url, { type: "module" });
}

Deno.test("a driver that hangs is given up after its time, as if there were no adapter", async () => {
  for (const hangs of ["for (;;);", "await new Promise(() => setInterval(() => {}, 1000));"]) {
    const error = await assertRejects(
      () => tryDriver({ withinMs: 100, startWorker: start(hangs) }),
      DeviceError,
      "the driver did not open a device within 100 ms",
    );
    assertEquals(exitStatusOf(error), 6);
  }
});

Deno.test("an interrupt ends the wait for a driver with its reason, also one that came before", async () => {
  const interrupt = new AbortController();
  const options = { signal: interrupt.signal, startWorker: start("for (;;);") };
  const ended = assertRejects(() => tryDriver(options), Error, "interrupted");
  interrupt.abort(new Error("interrupted"));
  await ended;
  await assertRejects(() => tryDriver(options), Error, "interrupted");
});

Deno.test("a driver that answers is not waited for any longer, and what it says is said elsewhere", async () => {
  await tryDriver({ startWorker: start("postMessage(0);") });
  await tryDriver({ startWorker: start("throw new Error('no adapter');") });
  await tryDriver();
});
