/// <reference lib="deno.worker" />
/** A rank of a layout, in a Worker of its own. */

import { chunk } from "../collectives/step_program.ts";
import { Communicator } from "../collectives/transports/communicator.ts";
import { P2PChannel } from "../collectives/transports/p2p_channel.ts";
import { Watchdog } from "../collectives/transports/watchdog.ts";
import { Device, SETTLE_MS } from "../device/device.ts";
import { vec4s } from "../kernels/kernel.ts";
import { openWeights } from "../model/open_weights.ts";
import { Rank } from "./rank.ts";
import {
  type OpenedRank,
  OPENING,
  type RankMessage,
  type RankReport,
  type RankSetup,
} from "./rank_message.ts";
import type { Interval, Span, StepRecord } from "./replica_trace.ts";
import { serveQuestions } from "./serve_questions.ts";
import { TensorParallelGroup } from "./tensor_parallel_group.ts";
import { tunedVariant } from "./tuned_variants.ts";

declare const self: DedicatedWorkerGlobalScope;

/** The rank of this Worker: its device, its group and channels, what it has done. */
class WorkerRank {
  readonly #setup: RankSetup;
  readonly #device: Device;
  #rank!: Rank;
  readonly #group: TensorParallelGroup | undefined;
  readonly #previous: P2PChannel | undefined;
  readonly #next: P2PChannel | undefined;
  readonly #steps: StepRecord[] = [];
  #sends = 0;
  #sentBytes = 0;

  private constructor(setup: RankSetup, device: Device) {
    this.#setup = setup;
    this.#device = device;
    this.#group = setup.group &&
      new TensorParallelGroup(new Communicator(setup.group, setup.stage.tensorParallelRank));
    this.#previous = setup.previous && new P2PChannel(setup.previous);
    this.#next = setup.next && new P2PChannel(setup.next);
  }

  /** Opens a device of its own and loads the stage's weights. */
  static async open(setup: RankSetup): Promise<WorkerRank> {
    const { stage, position } = setup;
    Atomics.store(position, 5, OPENING.indexOf("opening its device"));
    const own = new WorkerRank(setup, await Device.open(setup.adapter));
    Atomics.store(position, 5, OPENING.indexOf("loading its weights"));
    using weights = openWeights(setup.weights, stage.model);
    own.#rank = await Rank.open(own.#device, {
      stage,
      weights,
      choose: tunedVariant(setup.variants),
      memoryBytes: Infinity, // whoever starts the ranks has counted them all
      group: own.#group,
      onSegment: ({ first, last }) => {
        Atomics.store(position, 1, first + 1);
        Atomics.store(position, 2, last + 1);
      },
      onLoaded: () => Atomics.add(position, 6, 1),
    });
    Atomics.store(position, 5, 0);
    return own;
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
        for (const size of message.sizes) {
          await this.#rank.prepare(size);
          Atomics.add(this.#setup.position, 6, 1);
        }
        return undefined;
      case "step":
        return await this.#step(message);
      case "logits":
        return await this.#rank.logits(message.rows);
      case "report":
        return this.#report();
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
    const { position, stage } = this.#setup;
    const tokens = batch.tokenIds.length;
    Atomics.store(position, 3, tokens);
    Atomics.store(position, 4, batch.logitsIndices.length);
    // Compiling what this size needs is no part of the step; it has been done but for the first time.
    await this.#rank.prepare({ tokens, logitsRows: batch.logitsIndices.length });
    const elements = 2 * tokens * 4 * vec4s(stage.model.hidden);
    const transfers: Span[] = [];
    let input: Float32Array | undefined;
    let begun = performance.now();
    if (this.#previous) {
      const { start: from_, end } = this.#slice(elements, way.slicedSends);
      const message = this.#previous.waitRecv(end - from_);
      begun = performance.now(); // waiting for the stage before is no part of the step
      input = message.length === elements ? message : this.#group!.gatherSlices(message, elements);
      transfers.push({ kind: "receive", start: begun, end: performance.now() });
    }
    const { tokenIds, hidden, spans, submitUs, waitUs } = await this.#rank.step(batch, {
      input,
      head: way.head,
    });
    this.#previous?.pop();
    if (this.#next && hidden) {
      const start = performance.now();
      const { start: from_, end } = this.#slice(hidden.length, way.slicedSends);
      this.#next.send(hidden.subarray(from_, end));
      this.#sends++;
      this.#sentBytes += 4 * (end - from_);
      transfers.push({ kind: "send", start, end: performance.now() });
    }
    Atomics.store(position, 1, 0);
    Atomics.add(position, 0, 1);
    const sinceEpoch = <T extends Interval>(interval: T): T => ({
      ...interval,
      start: interval.start + performance.timeOrigin,
      end: interval.end + performance.timeOrigin,
    });
    const absolute = [...transfers, ...spans].map(sinceEpoch).sort((a, b) => a.start - b.start);
    const whole = sinceEpoch({ start: begun, end: performance.now() });
    this.#steps.push({ ...whole, step, tokens, spans: absolute, submitUs, waitUs });
    return tokenIds;
  }

  /** Which of the hidden states this rank sends, and receives: all, or a slice that the group gathers. */
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

let setup: RankSetup | undefined;
let rank: WorkerRank | undefined;

async function obey(message: RankMessage): Promise<unknown> {
  if (message.kind !== "join") return await rank?.obey(message);
  setup = message.setup;
  rank = await WorkerRank.open(setup);
  return rank.opened();
}

serveQuestions<RankMessage>(self, {
  obey,
  abort: (did) =>
    setup && new Watchdog(setup.watchdog).abort({ globalRank: setup.globalRank, did }),
  isLast: ({ kind }) => kind === "leave",
});
