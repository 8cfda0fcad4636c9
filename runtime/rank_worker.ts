/// <reference lib="deno.worker" />
/** A rank of a layout, in a Worker of its own. */

import {
  awaitMessage,
  failMailbox,
  oldestMessage,
  releaseMessage,
  send,
} from "../collectives/transports/mailbox.ts";
import { share } from "../collectives/step_program.ts";
import { SharedRank } from "../collectives/transports/shared_memory.ts";
import { Device } from "../device/device.ts";
import { vec4s } from "../kernels/kernel.ts";
import { openWeights } from "../model/open_weights.ts";
import { Rank } from "./rank.ts";
import type { Span } from "./span.ts";
import type {
  Misbehaviour,
  OpenedRank,
  RankMessage,
  RankReport,
  RankSetup,
  StepRecord,
} from "./rank_message.ts";
import { TensorParallelPeers } from "./tensor_parallel_peers.ts";
import { chosenVariant } from "./variant_choices.ts";
import { serveQuestions } from "./worker_end.ts";

declare const self: DedicatedWorkerGlobalScope;

/** A device whose last maps are younger than this may not be destroyed. */
const SETTLE_MS = 40;

/** What a planted misbehaviour waits for: the next segment of a step. */
interface Trap {
  how: Misbehaviour | undefined;
}

/** The rank of this Worker: its device, its ends of mailboxes and shared memory, what it has done. */
class WorkerRank {
  readonly #setup: RankSetup;
  readonly #device: Device;
  readonly #rank: Rank;
  readonly #peers: TensorParallelPeers | undefined;
  readonly #trap: Trap;
  readonly #steps: StepRecord[] = [];
  #sends = 0;
  #sentBytes = 0;

  private constructor(
    setup: RankSetup,
    parts: {
      readonly device: Device;
      readonly rank: Rank;
      readonly peers: TensorParallelPeers | undefined;
      readonly trap: Trap;
    },
  ) {
    this.#setup = setup;
    this.#device = parts.device;
    this.#rank = parts.rank;
    this.#peers = parts.peers;
    this.#trap = parts.trap;
  }

  /** Opens a device of its own and loads the stage's weights. */
  static async open(setup: RankSetup, end: SharedRank | undefined): Promise<WorkerRank> {
    const { stage, progress } = setup;
    const device = await Device.open(setup.adapter);
    const peers = end && new TensorParallelPeers(end, stage.tensorParallelSize);
    const trap: Trap = { how: undefined };
    using weights = openWeights(setup.weights, stage.model);
    const rank = await Rank.open(device, {
      stage,
      weights,
      choose: chosenVariant(setup.variants),
      memoryBytes: Infinity, // whoever starts the ranks has counted them all
      peers,
      onSegment: ({ first, last }) => {
        Atomics.store(progress, 1, first + 1);
        Atomics.store(progress, 2, last + 1);
        spring(trap, device);
      },
    });
    return new WorkerRank(setup, { device, rank, peers, trap });
  }

  /** What was allocated. */
  opened(): OpenedRank {
    const bytes = (label: string) =>
      Object.values(this.#device.ledger.bytesByLabel(label)).reduce((sum, part) => sum + part, 0);
    return {
      adapter: this.#device.identity.name,
      readBack: this.#device.readBack.mode,
      weightBytes: bytes("weights."),
      kvCacheBytes: bytes("kv_cache."),
    };
  }

  /** Carries a message out. */
  async obey(message: Exclude<RankMessage, { kind: "join" }>): Promise<unknown> {
    switch (message.kind) {
      case "prepare":
        for (const size of message.sizes) await this.#rank.prepare(size);
        return undefined;
      case "step":
        return await this.#step(message);
      case "logits":
        return await this.#rank.logits(message.samples);
      case "report":
        return this.#report();
      case "misbehave":
        this.#trap.how = message.how;
        return undefined;
      case "leave":
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        this.#rank[Symbol.dispose]();
        await this.#device[Symbol.asyncDispose]();
        return undefined;
    }
  }

  async #step(
    { step, batch, way }: Extract<RankMessage, { kind: "step" }>,
  ): Promise<readonly number[]> {
    const { inbox, outbox, progress, stage } = this.#setup;
    const tokens = batch.tokenIds.length;
    Atomics.add(progress, 0, 1);
    Atomics.store(progress, 3, tokens);
    Atomics.store(progress, 4, batch.samples.length);
    const elements = 2 * tokens * 4 * vec4s(stage.model.hidden);
    const ends: Span[] = [];
    let input: Float32Array | undefined;
    if (inbox) {
      awaitMessage(inbox);
      const start = performance.now();
      input = this.#receive(elements, way.slicedSends);
      ends.push({ kind: "receive", start, end: performance.now() });
    }
    const { tokenIds, hidden, spans, submitUs, waitUs } = await this.#rank.step(batch, {
      input,
      head: way.head,
    });
    if (inbox) releaseMessage(inbox);
    const start = performance.now();
    if (outbox && hidden) {
      const { start: from_, end } = this.#slice(hidden.length, way.slicedSends);
      send(outbox, hidden.subarray(from_, end));
      this.#sends++;
      this.#sentBytes += 4 * (end - from_);
      ends.push({ kind: "send", start, end: performance.now() });
    }
    Atomics.store(progress, 1, 0);
    const shift = performance.timeOrigin;
    const absolute = [...ends, ...spans]
      .map((span) => ({ ...span, start: span.start + shift, end: span.end + shift }))
      .sort((a, b) => a.start - b.start);
    this.#steps.push({ step, tokens, spans: absolute, submitUs, waitUs });
    return tokenIds;
  }

  /** The hidden states that the stage before sent: all of them, or a slice that the group puts together. */
  #receive(elements: number, isSliced: boolean): Float32Array {
    const { start, end } = this.#slice(elements, isSliced);
    const message = oldestMessage(this.#setup.inbox!, end - start);
    return end - start === elements ? message : this.#peers!.gatherSlices(message, elements);
  }

  #slice(elements: number, isSliced: boolean): { readonly start: number; readonly end: number } {
    const { tensorParallelSize, rank } = this.#setup.stage;
    return isSliced ? share(elements, tensorParallelSize, rank) : { start: 0, end: elements };
  }

  #report(): RankReport {
    const { counts } = this.#peers ?? {};
    const report: RankReport = {
      steps: this.#steps.splice(0),
      allReduces: counts?.allReduces ?? 0,
      allGathers: counts?.allGathers ?? 0,
      sends: this.#sends,
      sentBytes: this.#sentBytes + (counts?.sentBytes ?? 0),
    };
    if (counts) counts.allReduces = counts.allGathers = counts.sentBytes = 0;
    this.#sends = this.#sentBytes = 0;
    return report;
  }
}

function spring(trap: Trap, device: Device): void {
  const { how } = trap;
  trap.how = undefined;
  if (how === "throw") throw new Error("planted failure");
  if (how === "lose") device.lose();
  if (how === "exit") Deno.exit(1);
  while (how === "hang");
}

let setup: RankSetup | undefined;
let end: SharedRank | undefined;
let rank: WorkerRank | undefined;

async function obey(message: RankMessage): Promise<unknown> {
  if (message.kind !== "join") return await rank?.obey(message);
  setup = message.setup;
  end = setup.group && new SharedRank(setup.group, setup.stage.rank);
  rank = await WorkerRank.open(setup, end);
  return rank.opened();
}

serveQuestions<RankMessage>(self, {
  obey,
  onFailure: () => {
    end?.fail();
    for (const box of [setup?.inbox, setup?.outbox]) if (box) failMailbox(box, setup!.number);
  },
  isLast: ({ kind }) => kind === "leave",
});
