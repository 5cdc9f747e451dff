// Drives a simulated blob service with Microsoft's own SDK for JavaScript.
//
//     node run.js CONNECTION-STRING OTHER-CONNECTION-STRING [HTTPS-URL]
//
// The two connection strings are of two accounts; copies should move about a MiB a second. The URL
// is that of the first account over https, for what takes a bearer token (NODE_EXTRA_CA_CERTS names
// the file with its certificate); without it those checks are skipped.
"use strict";

const { CHECKS, World } = require("./kit");

// Each registers its checks.
require("./pages");
require("./copies");
require("./incremental");
require("./from_url");
require("./blobs");
require("./lists");
require("./leases");
require("./sas");

async function main() {
  const world = new World(...process.argv.slice(2));
  let [passed, failed, skipped] = [0, 0, 0];
  for (const { name, run, needsHttps } of CHECKS) {
    if (needsHttps && !world.secure) {
      skipped += 1;
      console.log(`skipped  ${name}`);
      continue;
    }
    try {
      await run(world);
      passed += 1;
      console.log(`ok       ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED   ${name}\n${error.stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed ? 1 : 0;
}

main();
