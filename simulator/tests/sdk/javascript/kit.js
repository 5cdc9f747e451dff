// What the checks have in common: the accounts, things to begin with, and how a refusal is said.
"use strict";

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { BlobSASPermissions, BlobServiceClient } = require("@azure/storage-blob");

const PAGE = 512;
const KIB = 1024;

// A copy of it takes most of a day at the pace of the simulator that the checks run against; it is
// sparse, so it costs nothing.
const ENDLESS = 64 * KIB ** 3;

const CHECKS = [];

/** Registers a check; its name is the sentence that it proves. */
function check(name, run) {
  CHECKS.push({ name, run });
}

/** Registers a check that takes a bearer token, and so https. */
check.overHttps = (name, run) => CHECKS.push({ name, run, needsHttps: true });

/** Two accounts by their keys, and, where https is served, the first by a bearer token. */
class World {
  constructor(connection, otherConnection, secureUrl) {
    // One attempt each: a retry would hide what the simulator said first.
    const options = { retryOptions: { maxTries: 1 } };
    this.service = BlobServiceClient.fromConnectionString(connection, options);
    this.other = BlobServiceClient.fromConnectionString(otherConnection, options);
    this.secure = secureUrl && new BlobServiceClient(secureUrl, bearer, options);
  }

  /** A new container, by default in the first account. */
  async container(service = this.service) {
    const container = service.getContainerClient(`c-${randomUUID()}`);
    await container.create();
    return container;
  }

  /** A new page blob with its first page written. */
  async pageBlob(container, { name = "disk.vhd", size = 64 * KIB, ...options } = {}) {
    const blob = container.getPageBlobClient(name);
    await blob.create(size, options);
    await blob.uploadPages(page("a"), 0, PAGE);
    return blob;
  }

  /** A new block blob. */
  async blockBlob(container, { name = "notes.txt", data = "some notes", ...options } = {}) {
    const blob = container.getBlockBlobClient(name);
    await blob.upload(data, Buffer.byteLength(data), options);
    return blob;
  }
}

/** A credential whose token the simulator is told to accept. */
const bearer = {
  getToken: async () => ({ token: "a-token-for-tests", expiresOnTimestamp: Date.now() + 3600e3 }),
};

/** One page full of a letter. */
const page = (letter) => Buffer.alloc(PAGE, letter);

const inAnHour = () => new Date(Date.now() + 3600e3);

/** The blob's URL, which may be that of a snapshot, with a SAS that can read the blob. */
async function readable(blob, snapshot) {
  const permissions = BlobSASPermissions.parse("r");
  const url = await blob.generateSasUrl({ permissions, expiresOn: inAnHour() });
  return snapshot ? url.replace("?", `?snapshot=${encodeURIComponent(snapshot)}&`) : url;
}

const content = (blob, offset, count) => blob.downloadToBuffer(offset, count);

/** Polls until the copy into the blob has ended; the properties then. */
async function settled(blob) {
  const deadline = Date.now() + 30e3;
  for (;;) {
    const properties = await blob.getProperties();
    if (properties.copyStatus !== "pending") return properties;
    assert(Date.now() < deadline, `still pending: ${properties.copyProgress}`);
  }
}

/** Everything that an asynchronous iterator gives. */
async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/** A list of ranges as numbers of their first and last pages, in words. */
async function pages(ranges) {
  const name = ({ start, end, isClear }) =>
    `${isClear ? "cleared " : ""}${start / PAGE}-${(end + 1) / PAGE - 1}`;
  return (await all(ranges)).map(name);
}

/** Expects the service to refuse with this status and code. */
async function refused(promise, status, code) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    if (error.statusCode === undefined) throw error;
    assert.deepEqual([error.statusCode, code && error.code], [status, code], error.message);
    return;
  }
  assert.fail(`not refused with ${status} ${code}: ${Object.keys(answer)}`);
}

module.exports = {
  CHECKS,
  ENDLESS,
  KIB,
  PAGE,
  World,
  all,
  assert,
  check,
  content,
  inAnHour,
  page,
  pages,
  readable,
  refused,
  settled,
};
