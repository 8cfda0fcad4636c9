// Stands in for jsr:@std/assert where JSR cannot be reached: the same names over node's own.
import { isDeepStrictEqual } from "node:util";

/** What every assertion throws. */
export class AssertionError extends Error {
  /** An error with a message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

// deno-lint-ignore no-explicit-any -- the real signature takes constructors of any arguments
type Class<E extends Error> = abstract new (...args: any[]) => E;

function because(text: string, msg?: string): string {
  return msg ? `${text}: ${msg}` : `${text}.`;
}

/** A copy in which -0 is 0, which is how the real package compares numbers. */
function positiveZeros(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(positiveZeros);
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return value.map((v) => v + 0);
  }
  if (
    value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype
  ) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, positiveZeros(v)]));
  }
  return value;
}

/** Whether two values are deeply equal. */
export function equal(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(positiveZeros(a), positiveZeros(b));
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(because("Failed assertion", msg));
}

/** Passes if the value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Passes if the value is falsy. */
export function assertFalse(expr: unknown, msg = ""): void {
  if (expr) throw new AssertionError(msg);
}

/** Passes if the value is neither null nor undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    throw new AssertionError(
      because(`Expected actual: "${actual}" to not be null or undefined`, msg),
    );
  }
}

/** Passes if both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const show = (value: unknown) => Deno.inspect(value, { depth: 8, iterableLimit: 50 });
  throw new AssertionError(
    `${because("Values are not equal", msg)}\n  actual:   ${show(actual)}\n  expected: ${
      show(expected)
    }`,
  );
}

/** Passes if both are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) throw new AssertionError(because("Expected values to differ", msg));
}

/** Passes if both are the same value. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    throw new AssertionError(because(`${actual} is not strictly equal to ${expected}`, msg));
  }
}

/** Passes if both are within the tolerance; by default 1e-7 of the expected one. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? Math.abs(expected) * 1e-7;
  if (!(Math.abs(expected - actual) <= allowed)) {
    throw new AssertionError(because(`${actual} is not within ${allowed} of ${expected}`, msg));
  }
}

/** Passes if actual > expected. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) {
    throw new AssertionError(because(`Expect ${actual} > ${expected}`, msg));
  }
}

/** Passes if actual >= expected. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) {
    throw new AssertionError(because(`Expect ${actual} >= ${expected}`, msg));
  }
}

/** Passes if actual < expected. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) {
    throw new AssertionError(because(`Expect ${actual} < ${expected}`, msg));
  }
}

/** Passes if actual <= expected. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) {
    throw new AssertionError(because(`Expect ${actual} <= ${expected}`, msg));
  }
}

/** Passes if the text matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) {
    throw new AssertionError(because(`Expected "${actual}" to match ${expected}`, msg));
  }
}

/** Passes if the text holds the other. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    throw new AssertionError(because(`Expected "${actual}" to contain "${expected}"`, msg));
  }
}

/** Passes if the value is an instance of the class. */
export function assertInstanceOf<E extends Error>(
  actual: unknown,
  expected: Class<E>,
  msg?: string,
): asserts actual is E {
  if (!(actual instanceof expected)) {
    throw new AssertionError(because(`Expected an instance of ${expected.name}`, msg));
  }
}

function checkThrown<E extends Error>(
  thrown: unknown,
  wanted: {
    readonly class: Class<E> | undefined;
    readonly includes: string | undefined;
    readonly msg: string | undefined;
  },
): void {
  if (!wanted.class) return;
  assertInstanceOf(thrown, wanted.class, wanted.msg);
  const text = (thrown as Error).message;
  if (wanted.includes !== undefined) assertStringIncludes(text, wanted.includes, wanted.msg);
}

/** Passes if the function throws; with a class, an error of it whose message holds a text. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  classOrMsg?: Class<E> | string,
  includes?: string,
  msg?: string,
): unknown {
  const ErrorClass = typeof classOrMsg === "function" ? classOrMsg : undefined;
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    checkThrown(thrown, { class: ErrorClass, includes, msg });
    return thrown;
  }
  throw new AssertionError(because("Expected function to throw", msg));
}

/** Passes if the promise of the function rejects; as `assertThrows` otherwise. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Class<E> | string,
  includes?: string,
  msg?: string,
): Promise<unknown> {
  const ErrorClass = typeof classOrMsg === "function" ? classOrMsg : undefined;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(because("Function throws when expected to reject", msg), {
      cause: error,
    });
  }
  try {
    await promise;
  } catch (error) {
    checkThrown(error, { class: ErrorClass, includes, msg });
    return error;
  }
  throw new AssertionError(because("Expected function to reject", msg));
}
