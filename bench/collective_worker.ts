/// <reference lib="deno.worker" />
/** A rank of the collectives suite, in a Worker of its own. */

import { COLLECTIVES } from "../collectives/registry.ts";
import { SharedRank, type SharedRanks } from "../collectives/transports/shared_memory.ts";
import { CollectiveLoop, type LoopRequest } from "./collective_loop.ts";

/** What a rank is told. */
export type RankMessage =
  | { readonly kind: "join"; readonly shared: SharedRanks; readonly rank: number }
  | { readonly kind: "measure"; readonly request: LoopRequest }
  | { readonly kind: "follow"; readonly request: LoopRequest }
  | { readonly kind: "misbehave"; readonly how: "throw" | "exit" | "close" | "hang" | "slow" }
  | { readonly kind: "leave" };

/** What a rank answers. */
export type RankAnswer =
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly message: string };

declare const self: DedicatedWorkerGlobalScope;

let loop: CollectiveLoop | undefined;
let end: SharedRank | undefined;
let isLeaving = false;

function answer(message: RankAnswer): void {
  self.postMessage(message);
}

/** Planted misbehaviour: what tests make a rank do while the others wait for it. */
function misbehave(how: Extract<RankMessage, { kind: "misbehave" }>["how"]): void {
  if (how === "throw") throw new Error("planted failure");
  if (how === "exit") Deno.exit(1);
  if (how === "close") self.close();
  const start = performance.now();
  const ms = how === "hang" ? Infinity : how === "slow" ? 300 : 0;
  while (performance.now() - start < ms);
}

async function obey(message: RankMessage): Promise<unknown> {
  switch (message.kind) {
    case "join":
      end = new SharedRank(message.shared, message.rank);
      loop = new CollectiveLoop(end, message.shared);
      return undefined;
    case "measure":
      return await loop!.run(message.request, COLLECTIVES[message.request.op]);
    case "follow":
      loop!.follow(message.request, COLLECTIVES[message.request.op]);
      return undefined;
    case "misbehave":
      misbehave(message.how);
      return undefined;
    case "leave":
      isLeaving = true;
      await loop?.[Symbol.asyncDispose]();
      return undefined;
  }
}

self.onmessage = async ({ data }: MessageEvent<RankMessage>) => {
  try {
    answer({ kind: "done", result: await obey(data) });
  } catch (error) {
    end?.fail();
    answer({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
  if (isLeaving) self.close();
};

// A rank that goes without being asked is a failure for the others. `close` ends without an event.
const close = self.close.bind(self);
function failUnlessLeaving(): void {
  if (!isLeaving) end?.fail();
}
self.addEventListener("unload", failUnlessLeaving);
self.close = () => {
  failUnlessLeaving();
  close();
};
