/** Workgroup counts for one invocation an element of rows x width, `invocations` a workgroup along a row. */
export function elementGroups(
  size: { readonly rows: number; readonly width: number },
  invocations: number,
): [number, number, number] {
  return [Math.ceil(size.width / invocations), size.rows, 1];
}
