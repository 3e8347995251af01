// Reads workflows from the paths of the command line, and prints what is wrong with them as JSON.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, ...paths] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(module));
const lint = await createLinter();
const found = paths.flatMap((path) => lint(readFileSync(path, "utf-8"), path));
console.log(JSON.stringify(found));
process.exit(0);
