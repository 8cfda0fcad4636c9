import { assert, assertEquals } from "@std/assert";
import { CacheFlush } from "../../../bench/measure/cache_flush.ts";
import { closeSharedDevice, sharedDevice } from "../../device/open_device.ts";
import { fakeDevice } from "./fake_session.ts";

Deno.test.afterAll(closeSharedDevice);

const PATH = "/sys/devices/system/cpu/cpu0/cache/index3/size";

/** What a flush allocates and runs where the system says so of its last-level cache. */
function flushed(size: string | undefined, most = 2 ** 30) {
  const read = Deno.readTextFileSync;
  Deno.readTextFileSync = (path) => {
    assertEquals(path, PATH);
    if (size === undefined) throw new Deno.errors.NotFound();
    return size;
  };
  const log: string[] = [];
  try {
    using flush = new CacheFlush(fakeDevice(most, log));
    const { params, workgroups } = flush.dispatch.program;
    return { log, params, workgroups };
  } finally {
    Deno.readTextFileSync = read;
  }
}

Deno.test("twice the last-level cache is flushed, 32 MiB of it where it is not known, at most what can be bound", () => {
  const bytes = (size: string | undefined, most?: number) => {
    const { log, params } = flushed(size, most);
    const words = log[0]!.split(" ");
    assertEquals(words.slice(0, 2), ["allocate", "cache_flush"]);
    assertEquals(params, [Number(words[2]) / 16, 64]);
    return Number(words[2]);
  };
  assertEquals(bytes("12M\n"), 24 * 2 ** 20);
  assertEquals(bytes("1536K\n"), 3072 * 2 ** 10);
  assertEquals([bytes(undefined), bytes("7G"), bytes("")], new Array(3).fill(64 * 2 ** 20));
  assertEquals(bytes("12M", 2 ** 20), 2 ** 20);
});

Deno.test("a flush has as many workgroups as cover its memory, and frees it", () => {
  const { log, workgroups } = flushed("130K"); // 16640 vec4s, 4096 a workgroup
  assertEquals(workgroups, [5, 1, 1]);
  assertEquals(log.slice(1), ["bind cache_flush", "free params", "free cache_flush"]);
});

Deno.test("a flush rewrites every word of its memory", async () => {
  const device = await sharedDevice();
  const [allocate, bytes] = [device.allocate.bind(device), 16 * (4096 + 100)];
  const scratch = allocate({ label: "scratch", bytes });
  device.allocate = (options) => options.label === "cache_flush" ? scratch : allocate(options);
  try {
    using flush = new CacheFlush(device);
    const program = { ...flush.dispatch.program, params: [bytes / 16, 64] };
    const dispatch = device.bind({ ...program, workgroups: [2, 1, 1] }, { scratch });
    device.run([dispatch, dispatch]);
    const seen = new Float32Array(await device.download(scratch));
    dispatch.params?.destroy();
    assertEquals(seen.length, bytes / 4);
    assert(seen.every((value) => value === 2));
  } finally {
    device.allocate = allocate;
  }
});
