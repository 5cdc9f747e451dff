// Serves Azurite's blob service until standard input ends: when the process that holds its other
// end is gone, however it went, so is the emulator.
"use strict";

process.stdin.resume().on("end", () => process.exit(0));
require("azurite/dist/src/blob/main.js");
