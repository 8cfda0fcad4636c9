/// <reference lib="deno.worker" />
/** A rank of the collectives suite, in a Worker of its own. */

import { Communicator } from "../../../collectives/transports/communicator.ts";
import type { CommunicatorState } from "../../../collectives/transports/communicator_state.ts";
import { Watchdog } from "../../../collectives/transports/watchdog.ts";
import { serveQuestions } from "../../../runtime/serve_questions.ts";
import { CollectiveLoop, type LoopCase, type LoopRequest } from "./collective_loop.ts";

/** What a rank is told. */
export type RankMessage =
  | { readonly kind: "join"; readonly state: CommunicatorState; readonly rank: number }
  | { readonly kind: "measure"; readonly request: LoopRequest }
  | { readonly kind: "back_to_back"; readonly case: LoopCase; readonly runs: number }
  | { readonly kind: "follow"; readonly case: LoopCase }
  | { readonly kind: "leave" };

declare const self: DedicatedWorkerGlobalScope;

let loop: CollectiveLoop | undefined;
let joined: Extract<RankMessage, { readonly kind: "join" }> | undefined;

async function obey(message: RankMessage): Promise<unknown> {
  switch (message.kind) {
    case "join":
      joined = message;
      loop = new CollectiveLoop(new Communicator(message.state, message.rank));
      return undefined;
    case "measure":
      return await loop!.measure(message.request);
    case "back_to_back":
      return await loop!.backToBack(message.case, message.runs);
    case "follow":
      return loop!.follow(message.case);
    case "leave":
      return await loop?.[Symbol.asyncDispose]();
  }
}

serveQuestions<RankMessage>(self, {
  obey,
  abort: (did) => {
    if (!joined) return;
    const { state: { watchdog, globalRanks }, rank } = joined;
    new Watchdog(watchdog).abort({ globalRank: globalRanks[rank]!, did });
  },
  isLast: ({ kind }) => kind === "leave",
});
