/// <reference lib="deno.worker" />
/** A rank of a layout, in a Worker of its own. */

import {
  abortP2PChannel,
  front,
  pop,
  send,
  waitRecv,
} from "../collectives/transports/p2p_channel.ts";
import { chunk } from "../collectives/step_program.ts";
import { Communicator } from "../collectives/transports/communicator.ts";
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
import { TensorParallelGroup } from "./tensor_parallel_group.ts";
import { tunedVariant } from "./tuned_variants.ts";
import { serveQuestions } from "./worker_end.ts";

declare const self: DedicatedWorkerGlobalScope;

/** A device whose last maps are younger than this may not be destroyed. */
const SETTLE_MS = 40;

/** What a planted misbehaviour waits for: the next segment of a step. */
interface Trap {
  how: Misbehaviour | undefined;
}

/** The rank of this Worker: its device, its ends of channels and shared memory, what it has done. */
class WorkerRank {
  readonly #setup: RankSetup;
  readonly #device: Device;
  readonly #rank: Rank;
  readonly #group: TensorParallelGroup | undefined;
  readonly #trap: Trap;
  readonly #steps: StepRecord[] = [];
  #sends = 0;
  #sentBytes = 0;

  private constructor(
    setup: RankSetup,
    parts: {
      readonly device: Device;
      readonly rank: Rank;
      readonly group: TensorParallelGroup | undefined;
      readonly trap: Trap;
    },
  ) {
    this.#setup = setup;
    this.#device = parts.device;
    this.#rank = parts.rank;
    this.#group = parts.group;
    this.#trap = parts.trap;
  }

  /** Opens a device of its own and loads the stage's weights. */
  static async open(setup: RankSetup, end: Communicator | undefined): Promise<WorkerRank> {
    const { stage, position } = setup;
    const device = await Device.open(setup.adapter);
    const group = end && new TensorParallelGroup(end, stage.tensorParallelSize);
    const trap: Trap = { how: undefined };
    using weights = openWeights(setup.weights, stage.model);
    const rank = await Rank.open(device, {
      stage,
      weights,
      choose: tunedVariant(setup.variants),
      memoryBytes: Infinity, // whoever starts the ranks has counted them all
      group,
      onSegment: ({ first, last }) => {
        Atomics.store(position, 1, first + 1);
        Atomics.store(position, 2, last + 1);
        spring(trap, device);
      },
    });
    return new WorkerRank(setup, { device, rank, group, trap });
  }

  /** What was allocated. */
  opened(): OpenedRank {
    return {
      adapter: this.#device.identity.name,
      readBack: this.#device.readBack.mode,
      weightBytes: this.#rank.bytesOf("weights"),
      kvCacheBytes: this.#rank.bytesOf("kv_cache"),
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
        return await this.#rank.logits(message.rows);
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
    const { inbox, outbox, position, stage } = this.#setup;
    const tokens = batch.tokenIds.length;
    Atomics.add(position, 0, 1);
    Atomics.store(position, 3, tokens);
    Atomics.store(position, 4, batch.logitsIndices.length);
    const elements = 2 * tokens * 4 * vec4s(stage.model.hidden);
    const ends: Span[] = [];
    let input: Float32Array | undefined;
    if (inbox) {
      waitRecv(inbox);
      const start = performance.now();
      input = this.#receive(elements, way.slicedSends);
      ends.push({ kind: "receive", start, end: performance.now() });
    }
    const { tokenIds, hidden, spans, submitUs, waitUs } = await this.#rank.step(batch, {
      input,
      head: way.head,
    });
    if (inbox) pop(inbox);
    const start = performance.now();
    if (outbox && hidden) {
      const { start: from_, end } = this.#slice(hidden.length, way.slicedSends);
      send(outbox, hidden.subarray(from_, end));
      this.#sends++;
      this.#sentBytes += 4 * (end - from_);
      ends.push({ kind: "send", start, end: performance.now() });
    }
    Atomics.store(position, 1, 0);
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
    const message = front(this.#setup.inbox!, end - start);
    return end - start === elements ? message : this.#group!.gatherSlices(message, elements);
  }

  #slice(elements: number, isSliced: boolean): { readonly start: number; readonly end: number } {
    const { tensorParallelSize, tensorParallelRank } = this.#setup.stage;
    return isSliced
      ? chunk(elements, tensorParallelSize, tensorParallelRank)
      : { start: 0, end: elements };
  }

  #report(): RankReport {
    const { counts } = this.#group ?? {};
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
let end: Communicator | undefined;
let rank: WorkerRank | undefined;

async function obey(message: RankMessage): Promise<unknown> {
  if (message.kind !== "join") return await rank?.obey(message);
  setup = message.setup;
  end = setup.group && new Communicator(setup.group, setup.stage.tensorParallelRank);
  rank = await WorkerRank.open(setup, end);
  return rank.opened();
}

serveQuestions<RankMessage>(self, {
  obey,
  onFailure: () => {
    end?.abort();
    for (const box of [setup?.inbox, setup?.outbox]) {
      if (box) abortP2PChannel(box, setup!.globalRank);
    }
  },
  isLast: ({ kind }) => kind === "leave",
});
