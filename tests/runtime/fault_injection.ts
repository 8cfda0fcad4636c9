/// <reference lib="deno.worker" />
/** Faults that tests plant in a rank of a layout: a Worker that has one runs this before the real script. */

import { Device } from "../../device/device.ts";
import { Rank } from "../../runtime/rank.ts";
import type { RankMessage } from "../../runtime/rank_message.ts";
import "../../runtime/rank_worker.ts";

/** What a rank does wrong, and when. */
export interface PlantedFault {
  readonly how: "throw" | "lose" | "exit" | "close" | "hang" | "stick";
  /** Whether it strikes as a step is told, while it is carried out, or at another question. */
  readonly when: "between steps" | "in a step" | Exclude<RankMessage["kind"], "step" | "leave">;
  /** Steps before that one, which go well. */
  readonly after?: number;
}

declare const self: DedicatedWorkerGlobalScope;

/** Plants the fault that stands in the Worker's name. */
function plant({ how, when, after = 0 }: PlantedFault): void {
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
  /** `stick` is what nobody ever answers, such as a driver that is asked for a device. */
  // deno-lint-ignore no-explicit-any
  const strikeFirst = <F extends (...args: any[]) => Promise<unknown>>(_own: F) => {
    return (async () => {
      strike();
      await new Promise(() => {});
    }) as unknown as F;
  };
  if (when === "join") Device.open = strikeFirst(Device.open);
  if (when === "prepare" || when === "logits") {
    Object.assign(Rank.prototype, { [when]: strikeFirst(Rank.prototype[when]) });
  }
  self.addEventListener("message", ({ data: { message } }) => {
    if (message.kind === when && when === "report") {
      if (how !== "stick") return strike();
      self.postMessage = () => {}; // its answer is lost
    }
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
