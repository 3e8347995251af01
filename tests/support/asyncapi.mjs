// Reads an AsyncAPI document from the standard input, and prints what the official parser says of it as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf-8"));
const channels = document ? document.channels().all().map((channel) => channel.id()) : null;
console.log(JSON.stringify({ channels, diagnostics }));
