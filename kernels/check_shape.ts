/** What a field of a shape may be: a whole number from 1 or from 0, a positive number, or one of some values. */
export type Field = "size" | "count" | "real" | readonly (string | boolean)[];

/** What the fields of a shape may be that none may lack; the numbers of other fields are counts. */
export type Fields<Shape> = {
  readonly [K in keyof Shape as Record<never, never> extends Pick<Shape, K> ? never : K]: Field;
};

const LEGAL = {
  size: "a whole number, 1 or more",
  count: "a whole number, 0 or more",
  real: "a number above 0",
} as const;

/** @throws {RangeError} that names the first field which is missing or not what it may be. */
export function checkShape(
  kernel: { readonly name: string; readonly fields: Readonly<Record<string, Field>> },
  shape: unknown,
): void {
  const { name, fields } = kernel;
  const values: Readonly<Record<string, unknown>> = { ...Object(shape) };
  const others = Object.keys(values).filter((key) => typeof values[key] === "number");
  for (const key of new Set([...Object.keys(fields), ...others])) {
    const field = fields[key] ?? "count";
    if (isLegal(values[key], field)) continue;
    const value = values[key];
    const text = typeof value === "string" ? `"${value}"` : value;
    const legal = typeof field === "string" ? LEGAL[field] : field.join(", ");
    throw new RangeError(`Cannot run ${name}: shape.${key} is ${text}; legal: ${legal}`);
  }
}

function isLegal(value: unknown, field: Field): boolean {
  if (typeof field !== "string") return field.some((legal) => legal === value);
  if (field === "real") return Number.isFinite(value) && Number(value) > 0;
  return Number.isInteger(value) && Number(value) >= (field === "size" ? 1 : 0);
}
