import { DeviceError } from "./device_error.ts";
import type { ErrorWatch } from "./error_watch.ts";
import { pipelineKey, type Program, shaderText, sourceLine } from "./program.ts";

/** Compiles each pair of shader and constants once. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #watch: ErrorWatch;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #shaders = new Map<string, string>();
  readonly #createMs = new Map<string, number>();
  #compileMs = 0;

  /** An empty cache. */
  constructor(device: GPUDevice, watch: ErrorWatch) {
    this.#device = device;
    this.#watch = watch;
  }

  /** Milliseconds spent in creating pipelines so far (drivers may compile later still). */
  get compileMs(): number {
    return this.#compileMs;
  }

  /** Name and text of every shader compiled so far, in order. */
  shaders(): readonly (readonly [string, string])[] {
    return [...this.#shaders];
  }

  /** Milliseconds that creating a program's pipeline took; 0 where there is none yet. */
  createMs(program: Program): number {
    return this.#createMs.get(pipelineKey(program)) ?? 0;
  }

  /** Pipelines made so far. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** The pipeline of a program; an error surfaces at the device's next check. */
  get(program: Program): GPUComputePipeline {
    const key = pipelineKey(program);
    const cached = this.#pipelines.get(key);
    if (cached) return cached;
    const start = performance.now();
    const pipeline = this.#watch.guard(
      `pipeline "${program.name}"`,
      () => this.#create(program, this.#module(program)),
    );
    const createMs = performance.now() - start;
    this.#compileMs += createMs;
    this.#createMs.set(key, createMs);
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  /**
   * Compiles a program and waits for the verdict.
   * @throws {DeviceError} `ShaderCompilation` with line, column and the line's text.
   */
  async compile(program: Program): Promise<GPUComputePipeline> {
    const key = pipelineKey(program);
    const cached = this.#pipelines.get(key);
    if (cached) return cached;
    const start = performance.now();
    this.#device.pushErrorScope("validation");
    const module = this.#module(program);
    const moduleError = await this.#device.popErrorScope();
    const info = await module.getCompilationInfo();
    const fault = info.messages.find((message) => message.type === "error");
    if (fault) throw compilationError(program, fault);
    if (moduleError) throw new DeviceError("ShaderCompilation", describe(program, moduleError));
    this.#device.pushErrorScope("validation");
    const pipeline = this.#create(program, module);
    const pipelineError = await this.#device.popErrorScope();
    if (pipelineError) throw new DeviceError("ShaderCompilation", describe(program, pipelineError));
    const createMs = performance.now() - start;
    this.#compileMs += createMs;
    this.#createMs.set(key, createMs);
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  #module(program: Program): GPUShaderModule {
    const code = shaderText(program);
    this.#shaders.set(program.name, code);
    return this.#device.createShaderModule({ label: program.name, code });
  }

  #create(program: Program, module: GPUShaderModule): GPUComputePipeline {
    const entries = program.bindings.map(({ access }, binding): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: {
        type: access === "uniform"
          ? "uniform"
          : access === "read"
          ? "read-only-storage"
          : "storage",
      },
    }));
    const group = this.#device.createBindGroupLayout({ label: program.name, entries });
    return this.#device.createComputePipeline({
      label: program.name,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }),
      compute: { module, entryPoint: "main", constants: { ...program.constants } },
    });
  }
}

function describe(program: Program, error: GPUError): string {
  return `Cannot compile "${program.name}": ${error.message}`;
}

function compilationError(program: Program, message: GPUCompilationMessage): DeviceError {
  const { lineNum, linePos } = message;
  const { file, line, text } = sourceLine(program, lineNum);
  const caret = " ".repeat(Math.max(0, linePos - 1)) + "^";
  const reason = message.message.trim().split("\n")[0] ?? "";
  return new DeviceError(
    "ShaderCompilation",
    `Cannot compile "${program.name}": ${file}:${line}:${linePos}: ${reason}\n` +
      `  ${text}\n  ${caret}`,
  );
}
