/// <reference lib="deno.worker" />
/** Opens a device and lets it go: the Worker in which a driver is tried. */

import { requestAdapter } from "./adapter.ts";

declare const self: DedicatedWorkerGlobalScope;

try {
  const adapter = await requestAdapter();
  (await adapter.requestDevice()).destroy();
} catch {
  // Whoever opens it in earnest says what is wrong.
}
self.postMessage("tried");
