/** Workgroup counts for one lane an element of rows x width, 64 lanes a workgroup on a row. */
export function elementGroups(
  size: { readonly rows: number; readonly width: number },
  lanes: number,
): [number, number, number] {
  return [Math.ceil(size.width / lanes), size.rows, 1];
}
