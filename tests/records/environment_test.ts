import { assertEquals } from "@std/assert";
import { cpus, homedir } from "node:os";
import {
  describeEnvironment,
  NOTED_VARIABLES,
  RECORDED_VARIABLES,
} from "../../records/run_folder/environment.ts";
import { places } from "../../records/run_folder/portable_paths.ts";
import { inFolder } from "../in_folder.ts";
import { withOwnVariables } from "../own_variables.ts";
import project from "../../deno.json" with { type: "json" };

Deno.test("a process is where it was started, of whose home it is", () => {
  assertEquals(places(), { here: Deno.cwd(), home: homedir() });
});

Deno.test("an environment is what system and Deno say of themselves", () =>
  inFolder((folder) => {
    const root = new URL(`file://${folder}/`);
    const { argv, variables: _, memory_available_bytes, load_average, ...rest } =
      describeEnvironment({ argv: ["run", `${Deno.cwd()}/a.json`], root });
    const memory = Deno.systemMemoryInfo();
    assertEquals(argv, ["run", "./a.json"]);
    assertEquals([load_average?.length, memory_available_bytes! <= memory.total], [3, true]);
    assertEquals(rest, {
      suite_version: project.version,
      commit: null,
      sources_hash: rest.sources_hash,
      deno_version: Deno.version.deno,
      v8_version: Deno.version.v8,
      typescript_version: Deno.version.typescript,
      os: Deno.build.os,
      os_release: Deno.osRelease(),
      architecture: Deno.build.arch,
      cpu_model: cpus()[0]?.model ?? null,
      logical_cores: navigator.hardwareConcurrency,
      memory_total_bytes: memory.total,
    });
  }));

Deno.test("values of the named variables are recorded, with a ~ for the home; of others that they are set", () =>
  inFolder(async (folder) => {
    const root = new URL(`file://${folder}/`);
    const unset = [...RECORDED_VARIABLES, ...NOTED_VARIABLES].map((name) => [name, undefined]);
    const values = {
      ...Object.fromEntries(unset),
      LP_NUM_THREADS: "2",
      VK_DRIVER_FILES: `${homedir()}/icd.json`,
      XDG_RUNTIME_DIR: "/run/user/1000",
    };
    await withOwnVariables(values, () => {
      const { variables } = describeEnvironment({ argv: [], root });
      assertEquals(variables, {
        LP_NUM_THREADS: "2",
        VK_DRIVER_FILES: "~/icd.json",
        VK_ICD_FILENAMES: null,
        DENO_WEBGPU_BACKEND: null,
        NO_COLOR: null,
        MESA_VK_DEVICE_SELECT: null,
        MESA_SHADER_CACHE_DISABLE: null,
        XDG_RUNTIME_DIR: "set",
      });
    });
    await withOwnVariables({ ...values, XDG_RUNTIME_DIR: undefined }, () => {
      const { variables } = describeEnvironment({ argv: [], root });
      assertEquals(variables["XDG_RUNTIME_DIR"], null);
    });
  }));
