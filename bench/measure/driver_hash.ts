import type { AdapterIdentity } from "../../device/adapter.ts";
import { canonicalJson } from "../../records/files/canonical_json.ts";
import { shortHash } from "../../records/files/short_hash.ts";

/**
 * A hash of all that WebGPU says of an adapter and its driver: names, features and limits. A driver's version
 * is no part of it, but where it stands in the adapter's name, as LLVM's does of Mesa's software adapters.
 */
export function driverHash(identity: AdapterIdentity): string {
  return shortHash(canonicalJson(identity));
}
