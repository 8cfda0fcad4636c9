import type { Command } from "@cliffy/command";
import { z } from "zod";
import type { SizeOptions } from "../config/config.ts";

/** The sizes of a layout as parsed options; spread into the schema of a command that takes them. */
export const SIZE_OPTIONS = {
  tensorParallelSize: z.int().optional(),
  pipelineParallelSize: z.int().optional(),
  dataParallelSize: z.int().optional(),
};

/** Adds the sizes of a layout to a command. */
export function withSizes(command: Command): Command {
  return command
    .option("--tensor-parallel-size, --tp <ranks:integer>", "Ranks that share every layer (-tp).")
    .option("--pipeline-parallel-size, --pp <stages:integer>", "Stages of layers (-pp).")
    .option("--data-parallel-size, --dp <replicas:integer>", "Replicas of the model (-dp).");
}

/** The sizes that were given. */
export function sizesOf(options: z.output<z.ZodObject<typeof SIZE_OPTIONS>>): SizeOptions {
  const { tensorParallelSize, pipelineParallelSize, dataParallelSize } = options;
  return {
    ...(tensorParallelSize === undefined ? {} : { tensorParallelSize }),
    ...(pipelineParallelSize === undefined ? {} : { pipelineParallelSize }),
    ...(dataParallelSize === undefined ? {} : { dataParallelSize }),
  };
}

/** vLLM writes `-tp 2`; parsers of options read that as `-t -p 2`. */
export function longSizes(args: readonly string[]): readonly string[] {
  return args.map((arg) => arg.replace(/^-(tp|pp|dp)(?==|$)/, "--$1"));
}
