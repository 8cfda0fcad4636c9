/// <reference lib="deno.worker" />
/** Faults that tests plant in a rank of a layout: a Worker that has one runs this before the real script. */

import { Device } from "../../device/device.ts";
import "../../runtime/rank_worker.ts";

/** What a rank does wrong, and when. */
export interface PlantedFault {
  readonly how: "throw" | "lose" | "exit" | "close" | "hang";
  /** Whether it strikes as a step is told, or while it is carried out. */
  readonly when: "between steps" | "in a step";
  /** Steps before that one, which go well. */
  readonly after: number;
}

declare const self: DedicatedWorkerGlobalScope;

/** Plants the fault that stands in the Worker's name. */
function plant({ how, when, after }: PlantedFault): void {
  let steps = 0;
  let isArmed = false;
  const strike = (device?: Device) => {
    isArmed = false;
    if (how === "throw") throw new Error("planted failure");
    if (how === "lose") device!.lose();
    if (how === "exit") Deno.exit(1);
    if (how === "close") self.close();
    while (how === "hang");
  };
  self.addEventListener("message", ({ data: { message } }) => {
    if (message.kind !== "step" || steps++ !== after) return;
    if (when === "in a step") isArmed = true;
    else strike();
  });
  const { encode } = Device.prototype;
  Device.prototype.encode = function (...args) {
    if (isArmed) strike(this);
    return encode.apply(this, args);
  };
}

if (self.name) plant(JSON.parse(self.name));
