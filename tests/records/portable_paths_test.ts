import { assert, assertEquals } from "@std/assert";
import {
  absolutePath,
  places,
  portablePath,
  portableText,
} from "../../records/run_folder/portable_paths.ts";
import { runConfiguration } from "../../records/run_folder/run_configuration.ts";

const OWN = { here: "/home/ada/work", home: "/home/ada" };

Deno.test("a path is relative below the working folder, has a ~ below the home, and is found again", () => {
  for (
    const [path, folder, named] of [
      ["/home/ada/work/models/m.json", "results/run", "../../models/m.json"],
      ["/home/ada/work/models/m.json", "/tmp/run", "~/work/models/m.json"],
      ["/home/ada/models/m.json", "results/run", "~/models/m.json"],
      ["/opt/models/m.json", "results/run", "/opt/models/m.json"],
      ["/home/ada2/m.json", "results/run", "/home/ada2/m.json"],
    ] as const
  ) {
    assertEquals(portablePath(path, { ...OWN, folder }), named);
    assertEquals(absolutePath(named, { ...OWN, folder }), path);
  }
  const nobody = { here: "/srv", home: undefined };
  assertEquals(portablePath("/home/ada/m.json", { ...nobody, folder: "run" }), "/home/ada/m.json");
});

Deno.test("arguments and variables name neither the home nor the working folder", () => {
  for (
    const [text, named] of [
      ["/home/ada/work/configs/quick.json", "./configs/quick.json"],
      ["--out=/home/ada/out", "--out=~/out"],
      ['model="/home/ada/m.json"', 'model="~/m.json"'],
      ["/home/ada/a.json:/usr/b.json:/home/ada", "~/a.json:/usr/b.json:~"],
      ["/home/ada2/x", "/home/ada2/x"],
      ["/mnt/home/ada/x", "/mnt/home/ada/x"],
      ["ada", "ada"],
    ] as const
  ) assertEquals(portableText(text, OWN), named);
  assertEquals(portableText("/a", { here: "/", home: undefined }), "/a");
});

Deno.test("a configuration takes its trace along, under a name that changes with its lines", () => {
  const document = { name: "a", model: "/m.json", schedules: { requests: { trace: "/secret/t" } } };
  const config = { name: "a", document, model: {}, modelPath: `${places().here}/models/m.json` };
  const trace = [{ arrival_s: 0, prompt_tokens: 2, output_tokens: 1 }];
  const one = runConfiguration({ ...config, trace }, `${places().here}/results/a`);
  assertEquals(one.trace!.text, '{"arrival_s":0,"prompt_tokens":2,"output_tokens":1}\n');
  assertEquals(one.configuration, {
    name: "a",
    model: "../../models/m.json",
    schedules: { requests: { trace: one.trace!.name } },
  });
  const other = runConfiguration({ ...config, trace: [...trace, ...trace] }, "a");
  assert(/^trace_[0-9a-f]{12}\.jsonl$/.test(one.trace!.name));
  assert(other.trace!.name !== one.trace!.name);
});
