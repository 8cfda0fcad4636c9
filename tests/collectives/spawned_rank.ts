/// <reference lib="deno.worker" />
/** A rank that runs what it is given: the Worker of `spawnRanks`. */

import { Communicator } from "../../collectives/transports/communicator.ts";
import { P2PChannel } from "../../collectives/transports/p2p_channel.ts";
import { serveQuestions } from "../../runtime/serve_questions.ts";
import type { SpawnedMessage, SpawnedRank } from "./spawn_ranks.ts";

declare const self: DedicatedWorkerGlobalScope;

let spawned: SpawnedRank | undefined;

serveQuestions<SpawnedMessage>(self, {
  obey: async (message) => {
    if (message.kind === "run") return await eval(`(${message.source})`)(spawned);
    if (message.kind === "join") {
      spawned = {
        communicator: new Communicator(message.state, message.rank),
        next: new P2PChannel(message.next),
        previous: new P2PChannel(message.previous),
      };
    }
  },
  abort: (did) => spawned?.communicator.abort(did),
  isLast: ({ kind }) => kind === "leave",
});
