// Checks the types, and makes the two files that a browser loads: for the npm package, and for the server to serve.
//
//     node build.mjs            all of it
//     node build.mjs FOLDER     only the two files, unchecked, into a folder

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url); // which, unlike import, heeds NODE_PATH
const here = fileURLToPath(new URL(".", import.meta.url));
const dist = `${here}dist`;
const served = fileURLToPath(new URL("../../src/plugsock/static", import.meta.url));
const names = ["plugsock", "plugsock-mock"];

/** Bundles and minifies the sources. */
export async function bundle(folder) {
  const common = {
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    mangleProps: /[^_]_$/,
    logLevel: "warning",
    external: ["./plugsock-mock.js"],
  };
  for (const [name, entry] of [
    ["plugsock", "src/index.ts"],
    ["plugsock-mock", "src/plugsock-mock.ts"],
  ]) {
    await require("esbuild").build({ ...common, entryPoints: [entry], outfile: `${folder}/${name}.js` });
  }
}

function compile() {
  const tsc = `${require.resolve("typescript/package.json").replace(/package\.json$/, "")}bin/tsc`;
  const { status } = spawnSync(process.execPath, [tsc, "-p", here], { stdio: "inherit" });
  if (status) process.exit(status);
}

if (process.argv[2]) {
  await bundle(process.argv[2]);
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  compile();
  await bundle(dist);
  for (const name of names) copyFileSync(`${dist}/${name}.js`, `${served}/${name}.js`);
}
