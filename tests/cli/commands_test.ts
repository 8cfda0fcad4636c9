import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "../../records/files/exists.ts";
import { inFolder } from "../in_folder.ts";
import { inProcess } from "./in_process.ts";
import { CONFIG, inConfigFolder } from "./shardbench.ts";

/** Commands on files, as they are typed, each with its exit status and all that it prints. */

const REFERENCE = new URL("../../results/reference", import.meta.url).pathname;
const MODEL = new URL("../../models/mistral_7b.json", import.meta.url).pathname;

/** Calls back with a copy of the reference run that may be changed. */
function inRun(act: (run: string) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const run = `${folder}/run`;
    await Deno.mkdir(run);
    for (const { name } of Deno.readDirSync(REFERENCE)) {
      await Deno.copyFile(`${REFERENCE}/${name}`, `${run}/${name}`);
    }
    await act(run);
  });
}

/** What a command is refused for: one message, status 2, nothing on stdout. */
async function refusal(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await inProcess(args);
  assertEquals([status, stdout, stderr.split("\n").length], [2, "", 2], stderr);
  return stderr.replace(/^error: /, "").trimEnd();
}

Deno.test("options of run that contradict each other are refused, whatever the others say", () =>
  inConfigFolder(async (folder, config) => {
    const run = (...more: string[]) => refusal("run", "--config", config, ...more);
    assertEquals(
      await run("--resume", folder, "--out", folder),
      "Cannot take --resume and --out together: --resume names the folder",
    );
    assertEquals(
      await run("--resume-anyway"),
      "Cannot take --resume-anyway alone: it goes on with --resume",
    );
    assertEquals(
      await run("--force"),
      "Cannot take --force alone: it makes room in the folder of --out",
    );
    for (const words of [["--repeat", "0"], ["--repeat", "2", "--resume", folder]]) {
      assertEquals(
        await run(...words),
        `Cannot take --repeat "${words[1]}": legal are 1 and more, without --resume`,
      );
    }
  }));

Deno.test("a dry run prints the same cases whatever else would be done with them", () =>
  inConfigFolder(async (folder, config) => {
    const dry = (...more: string[]) =>
      inProcess(["run", "--config", config, "--dry-run", "--only", "kernels", ...more]);
    const { status, stdout } = await dry();
    const lines = stdout.trimEnd().split("\n");
    assertEquals([status, lines.length], [0, 16]);
    for (
      const more of [["--repeat", "1"], ["--out", folder, "--force"], ["--resume", folder]]
    ) assertEquals((await dry(...more)).stdout, stdout);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["config.json"]);
    const ffn = await dry("--filter", "^ffn", "--set", "kernels.tokens=[1]");
    assertEquals(
      ffn.stdout.trimEnd().split("\n"),
      lines.filter((line) => /^ffn .*tokens=1 /.test(line)),
    );
  }));

Deno.test("ranks counts bytes of weights and KV cache by dtype, context and sequences", async () => {
  const bytes = async (...more: string[]) => {
    const args = ["ranks", "--model", MODEL, "-tp", "2", "--csv", ...more];
    const { status, stdout } = await inProcess(args);
    const [header, ...rows] = stdout.trimEnd().split("\n").map((line) => line.trim().split(","));
    assertEquals([status, rows.length], [0, 2]);
    return ["weight_bytes_predicted", "kv_cache_bytes_predicted"]
      .map((name) => Number(rows[1]![header!.indexOf(name)]));
  };
  // 32 layers, keys and values, 4 heads of 128 a rank, 4 bytes.
  const position = 32 * 2 * 4 * 128 * 4;
  assertEquals(await bytes(), [14_483_996_672, 4096 * position]);
  assertEquals(await bytes("--context", "1"), [14_483_996_672, position]);
  assertEquals(
    await bytes("--context", "8", "--max-num-seqs", "3", "--dtype", "float16"),
    [7_242_530_816, 8 * 3 * position],
  );
});

Deno.test("ranks refuses sizes below 1 by name, and what it does not know", async () => {
  const ranks = (...more: string[]) => refusal("ranks", "--model", MODEL, ...more);
  assertEquals(await ranks("--context", "0"), 'Cannot use context "0": legal is 1 or more');
  assertEquals(await ranks("--max-num-seqs", "0"), 'Cannot use maxNumSeqs "0": legal is 1 or more');
  assertEquals(
    await ranks("--dtype", "int4"),
    'Cannot use --dtype "int4": legal are float32, float16, int8',
  );
});

Deno.test("a layout of megatron numbers its ranks otherwise than one of vllm", async () => {
  const groups = async (...more: string[]) => {
    const args = ["ranks", "--model", MODEL, "-pp", "2", "-dp", "2", ...more];
    return (await inProcess(args)).stdout.split("\n").filter((line) => /^ {2}[TPD]P/.test(line))
      .map((line) => [...line.matchAll(/\{[\d,]+\}/g)].map(([group]) => group));
  };
  const one = ["{0}", "{1}", "{2}", "{3}"];
  assertEquals(await groups(), [one, ["{0,1}", "{2,3}"], ["{0,2}", "{1,3}"]]);
  assertEquals(await groups("--layout", "megatron"), [
    one,
    ["{0,2}", "{1,3}"],
    ["{0,1}", "{2,3}"],
  ]);
});

Deno.test("verify counts what it computed and hashed, as text and as JSON", async () => {
  const text = await inProcess(["verify", REFERENCE]);
  const json = await inProcess(["verify", REFERENCE, "--json"]);
  const { rows, recomputed, hashed, files, ...rest } = JSON.parse(json.stdout);
  assertEquals([text.status, json.status, text.stderr, json.stderr], [0, 0, "", ""]);
  assertEquals([rest.contradictions, rest.is_finished, rest.signature], [[], true, null]);
  assertEquals(
    text.stdout,
    `${rows} rows: ${recomputed} cells recomputed, ${hashed} only hashed; ` +
      `${files} files hashed; 0 contradictions\n`,
  );
});

Deno.test("a finished run is signed and trusted with its key; a run that is neither is not signed", () =>
  inRun(async (run) => {
    const key = `${run}.key`;
    assertEquals(await inProcess(["sign", "--new-key", key]), {
      status: 0,
      stdout: `${key}\n${key}.pub\n`,
      stderr: "",
    });
    const verified = (...more: string[]) => inProcess(["verify", run, ...more]);
    const unsigned = await verified("--key", `${key}.pub`);
    assertEquals(unsigned.status, 5);
    assertEquals(
      unsigned.stderr,
      `error: Cannot trust the run in "${run}": it has no signature.json\n`,
    );
    assert(!unsigned.stdout.includes("signed"), unsigned.stdout);
    const asked = await verified("--key", `${key}.pub`, "--json");
    assertMatch(JSON.parse(asked.stdout).signature, /it has no signature\.json$/);

    const signed = await inProcess(["sign", run, "--key", key]);
    assertEquals([signed.status, signed.stderr], [0, ""]);
    assertMatch(signed.stdout, /^signed [0-9a-f]{64}\n$/);
    const trusted = await verified("--key", `${key}.pub`);
    assertEquals([trusted.status, trusted.stderr], [0, ""]);
    assertEquals(
      trusted.stdout.trimEnd().split("\n").slice(1),
      [`signed with the private key of ${key}.pub`],
    );
    const json = await verified("--key", `${key}.pub`, "--json");
    assertEquals([json.status, JSON.parse(json.stdout).signature], [0, null]);

    const manifest = JSON.parse(await Deno.readTextFile(`${run}/manifest.json`));
    await Deno.writeTextFile(
      `${run}/manifest.json`,
      JSON.stringify({ ...manifest, started_at: "never" }),
    );
    const changed = await inProcess(["sign", run, "--key", key]);
    assertEquals(changed, {
      status: 5,
      stdout: "",
      stderr: `error: Cannot sign the run in "${run}": verify finds contradictions in it\n`,
    });
    await Deno.writeTextFile(
      `${run}/manifest.json`,
      JSON.stringify({ ...manifest, interrupted: undefined }),
    );
    const cut = await inProcess(["sign", run, "--key", key]);
    assertEquals(cut, {
      status: 5,
      stdout: "",
      stderr: `error: Cannot sign the run in "${run}": it was not finished\n`,
    });
    assertStringIncludes((await verified()).stdout, "\nthe run was not finished\n");
  }));

Deno.test("sign takes a run with a key, or makes a key, and nothing between", () =>
  inFolder(async (folder) => {
    const legal = "Cannot sign: legal are RUN --key FILE, and --new-key FILE alone";
    const key = `${folder}/key`;
    assertEquals(await refusal("sign"), legal);
    assertEquals(await refusal("sign", REFERENCE), legal);
    assertEquals(await refusal("sign", "--key", key), legal);
    assertEquals(await refusal("sign", REFERENCE, "--new-key", key), legal);
    assertEquals(await refusal("sign", "--key", key, "--new-key", key), legal);
    assertEquals(await refusal("sign", REFERENCE, "--key", key, "--new-key", key), legal);
    assertEquals([...Deno.readDirSync(folder)], []);
    assertEquals(exists(`${REFERENCE}/signature.json`), false);
  }));

Deno.test("dashboard writes a page under a name that ends in .html or .htm, and says where", () =>
  inFolder(async (folder) => {
    for (const name of ["page.html", "page.htm"]) {
      const out = `${folder}/${name}`;
      const { status, stdout } = await inProcess(["dashboard", REFERENCE, "--out", out]);
      assertEquals([status, stdout], [0, `${out}\n`]);
      assertMatch(await Deno.readTextFile(out), /^<!doctype html>/i);
    }
    assertEquals(
      await refusal("dashboard", REFERENCE, "--out", `${folder}/page.csv`),
      `Cannot write "${folder}/page.csv": legal are names that end in .html`,
    );
  }));

Deno.test("compare takes one run with --by, two without, and values of --by with it only", async () => {
  const R = REFERENCE;
  const compare = (...more: string[]) => refusal("compare", R, ...more);
  assertEquals(
    await compare(),
    "missing required argument 'candidate'; --by compares rows of one run",
  );
  assertEquals(
    await compare("--baseline", "step"),
    "Cannot take --baseline alone: it is a value of --by",
  );
  assertEquals(
    await compare(R, "--by", "schedule"),
    "Cannot take two runs with --by: it compares rows of one",
  );
  assertEquals(
    await refusal("compare", `${R},${R},${R}`, "--by", "schedule"),
    `Cannot compare by "schedule" in "${R},${R},${R}": it is 3 runs`,
  );
});

Deno.test("compare shows rows that did not change for --all only, those of the filter", async () => {
  const lines = async (...more: string[]) => {
    const { status, stdout, stderr } = await inProcess(["compare", REFERENCE, REFERENCE, ...more]);
    assertEquals([status, stderr], [0, ""]);
    return stdout.split("\n");
  };
  assertMatch((await lines())[0]!, /^\d+ rows: 0 slower/);
  const [header, ...rows] = await lines("--all", "--filter", "^ffn");
  assertMatch(header!, /^verdict/);
  const same = rows.filter((line) => line.startsWith("same"));
  assertEquals([same.length, same.every((line) => line.includes("kernels: ffn "))], [4, true]);
});

Deno.test("selftest judges so many simulated pairs of every machine; too few runs are refused", async () => {
  const { status, stdout } = await inProcess(["selftest", "--simulate", "1", "--json"]);
  const { verdicts, coverage } = JSON.parse(stdout);
  assertEquals([status, Object.keys(coverage).length > 0], [0, true]);
  const pairs = verdicts.map((one: { false_pairs: { trials: number } }) => one.false_pairs.trials);
  assertEquals(new Set(pairs), new Set([1]));
  assertEquals(
    await refusal("selftest", "--simulate", "0"),
    'Cannot simulate "0" pairs: legal are 1 and more',
  );
  assertEquals(
    await refusal("selftest", "--repeat", "3"),
    'Cannot take --repeat "3": legal are 4 and more, so that two runs are judged by others',
  );
  assertEquals(
    await refusal("selftest", "--simulate", "1", "--threshold", "0"),
    'Cannot use --threshold "0": legal is above 0, below 100',
  );
});

Deno.test("ab needs a pair, and cases to run, before anything is made", () =>
  inConfigFolder(async (folder, config) => {
    const out = `${folder}/ab`;
    const ab = (...more: string[]) =>
      refusal("ab", "--config", config, "--baseline", folder, "--out", out, ...more);
    assertEquals(await ab("--pairs", "0"), 'Cannot take --pairs "0": legal are 1 and more');
    assertStringIncludes(
      (await inProcess(["ab", "--config", config, "--baseline", folder, "--filter", "zzz"])).stderr,
      "leave no case",
    );
    assertEquals(exists(out), false);
  }, { ...CONFIG, collectives: undefined }));

Deno.test("replay takes a tolerance of 0 and more", async () => {
  for (const tolerance of ["-1", "-0.5"]) {
    assertEquals(
      await refusal("replay", "/nonexistent", `--tolerance=${tolerance}`),
      `Cannot use --tolerance "${tolerance}": legal are 0 and more`,
    );
  }
  assertStringIncludes(
    await refusal("replay", "/nonexistent", "--tolerance", "0"),
    "it is not there",
  );
});
