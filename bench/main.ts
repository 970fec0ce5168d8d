/** `npm run bench -- <name>`: runs one benchmark. */
const BENCHES = ["latency", "live", "bundle"];
const name = process.argv[2] ?? "";
if (BENCHES.includes(name)) await import(`./${name}.ts`);
else console.log(`npm run bench -- ${BENCHES.join(" | ")}`);
