/// <reference lib="deno.worker" />
/** A rank of the collectives suite, in a Worker of its own. */

import { COLLECTIVES } from "../../../collectives/registry.ts";
import {
  Communicator,
  type CommunicatorState,
} from "../../../collectives/transports/communicator.ts";
import { serveQuestions } from "../../../runtime/worker_end.ts";
import { CollectiveLoop, type LoopRequest } from "./collective_loop.ts";

/** What a rank is told. */
export type RankMessage =
  | { readonly kind: "join"; readonly shared: CommunicatorState; readonly rank: number }
  | { readonly kind: "measure"; readonly request: LoopRequest }
  | { readonly kind: "follow"; readonly request: LoopRequest }
  | { readonly kind: "misbehave"; readonly how: "throw" | "exit" | "close" | "hang" | "slow" }
  | { readonly kind: "leave" };

declare const self: DedicatedWorkerGlobalScope;

let loop: CollectiveLoop | undefined;
let end: Communicator | undefined;

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
      end = new Communicator(message.shared, message.rank);
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
      await loop?.[Symbol.asyncDispose]();
      return undefined;
  }
}

serveQuestions<RankMessage>(self, {
  obey,
  onFailure: () => end?.abort(),
  isLast: ({ kind }) => kind === "leave",
});
