/** Paths of the project's own files, without what is installed, measured or tuned. */
export async function listTree(
  root: URL = new URL("../", import.meta.url),
): Promise<readonly string[]> {
  const walk = async (folder: string): Promise<string[]> => {
    const paths: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder || "./", root))) {
      const path = `${folder}${name}`;
      if (name === ".git" || name === "node_modules" || path === "tuning") continue;
      if (path.startsWith("results/") && isDirectory && name !== "reference") continue;
      if (isDirectory) paths.push(...await walk(`${path}/`));
      else paths.push(path);
    }
    return paths;
  };
  return (await walk("")).sort();
}
