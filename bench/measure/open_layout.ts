import type { Config } from "../../config/config.ts";
import { adapterOptions, decoderSource, layoutOf } from "../../config/decoder_source.ts";
import type { Device } from "../../device/device.ts";
import { DeviceError } from "../../device/device_error.ts";
import { openOwnDevice } from "../../device/own_device.ts";
import { type Decoder, Generation, type GenerationRequest } from "../../runtime/generation.ts";
import { openDecoder } from "../../runtime/open_decoder.ts";
import { Timer } from "./timer.ts";
import { Tuner } from "./tuner.ts";
import { TuningStore } from "./tuning_store.ts";

/** What an open layout has room for, and with what it is opened. */
export interface OpenLayoutOptions {
  /** Positions of a sequence in the KV cache: prompt and output together. */
  readonly maxModelLen: number;
  /** Token budget of a batch: longer prompts are prefilled in chunks; 64 where absent. */
  readonly maxNumBatchedTokens?: number;
  /** The adapter that variants are chosen on and that a single rank runs on; opened where absent. */
  readonly device?: Device;
  /** The folder of tuning results; kept in memory only where absent. */
  readonly tuning?: string | undefined;
  /** Ends opening, and every wait for a rank afterwards, at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The model of a configuration, open in its layout. */
export interface OpenLayout extends AsyncDisposable {
  /** The name of the adapter. */
  readonly adapter: string;
  /** What runs its batches; its `logits` are those of the newest token. */
  readonly decoder: Decoder;
  /**
   * Decodes greedily after a prompt of token ids; one generation at a time.
   * @throws {RangeError} where an id is not in the vocabulary, or prompt and output are longer than
   * `maxModelLen`.
   * @throws {DeviceError} where the layout is closed.
   */
  generate(request: GenerationRequest): Generation;
}

/**
 * Opens the model of a configuration in its layout, one replica of it: one rank on this thread,
 * several in Workers with devices of their own. Needs `--allow-sys=systemMemoryInfo`, and read
 * permission for this program's own files where there are Workers.
 * @throws {RangeError} where a length is not a whole number of 1 or more.
 * @throws {DeviceError} `NoAdapter`; `OutOfMemory`, before anything is allocated, where it does not fit.
 * @throws {CheckpointError} where weights are read and do not fit the model.
 */
export async function openLayout(config: Config, options: OpenLayoutOptions): Promise<OpenLayout> {
  const { maxModelLen, maxNumBatchedTokens = 64, signal } = options;
  checkWhole("open a layout", { maxModelLen, maxNumBatchedTokens });
  await using stack = new AsyncDisposableStack();
  const device = options.device ??
    stack.use(await openOwnDevice(adapterOptions(config), { signal }));
  const timer = stack.use(await new Timer(device).ready());
  const tuning = TuningStore.open(device.identity, options.tuning);
  const tuner = new Tuner(device, timer, tuning);
  const decoder = stack.use(
    await openDecoder(decoderSource(config), {
      device,
      choose: (operation) => tuner.best(operation),
      layout: layoutOf(config.layout),
      layers: config.layout.stage_layers,
      cacheConfig: { dtype: config.dtype, maxNumSeqs: 1, maxModelLen, maxNumBatchedTokens },
      signal,
    }),
  );
  stack.defer(() => tuning.save());
  const opened = stack.move();
  const { vocab } = config.model;
  return {
    adapter: device.identity.name,
    decoder,
    generate: (request) => {
      if (opened.disposed) {
        throw new DeviceError("Validation", "Cannot generate: the layout is closed");
      }
      checkRequest(request, { vocab, maxModelLen });
      return new Generation(decoder, request);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function checkWhole(what: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(`Cannot ${what}: ${name} is ${value}; legal: a whole number, 1 or more`);
  }
}

/** Before anything runs: what reaches the ranks and is refused there ends them. */
function checkRequest(
  { promptTokenIds, maxTokens }: GenerationRequest,
  { vocab, maxModelLen }: { readonly vocab: number; readonly maxModelLen: number },
): void {
  const prompt = promptTokenIds.length;
  checkWhole("generate", { maxTokens, "the number of promptTokenIds": prompt });
  const id = promptTokenIds.find((id) => !Number.isInteger(id) || id < 0 || id >= vocab);
  if (id !== undefined) {
    throw new RangeError(`Cannot generate: a prompt token is ${id}; legal: 0 to ${vocab - 1}`);
  }
  if (prompt + maxTokens > maxModelLen) {
    throw new RangeError(
      `Cannot generate: ${prompt} tokens of the prompt and maxTokens ${maxTokens} are more than ` +
        `maxModelLen ${maxModelLen}`,
    );
  }
}
