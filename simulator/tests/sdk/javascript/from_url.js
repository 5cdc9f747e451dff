// Every write whose content the service fetches from a URL by itself.
"use strict";

const { createHash } = require("node:crypto");
const { PAGE, assert, check, content, readable, refused } = require("./kit");

const DATA = "0123456789".repeat(100);

/** A blob in the other account, and its URL with a SAS. */
async function sourceOf(world, data = DATA, options = {}) {
  const source = await world.blockBlob(await world.container(world.other), { data, ...options });
  return readable(source);
}

check("Copy Blob From URL is over when it answers", async (world) => {
  const destination = (await world.container()).getBlobClient("copy");
  const answer = await destination.syncCopyFromURL(await sourceOf(world));
  assert.equal(answer.copyStatus, "success");
  assert.equal((await content(destination)).toString(), DATA);
});

check("Put Blob From URL brings content and properties", async (world) => {
  const blobHTTPHeaders = { blobContentType: "text/plain" };
  const destination = (await world.container()).getBlockBlobClient("copy");
  await destination.syncUploadFromURL(await sourceOf(world, DATA, { blobHTTPHeaders }));
  const found = await destination.getProperties();
  assert.deepEqual([found.contentType, found.copyId], ["text/plain", undefined]);
  assert.equal((await content(destination)).toString(), DATA);
});

check("Put Block From URL takes a range", async (world) => {
  const url = await sourceOf(world);
  const destination = (await world.container()).getBlockBlobClient("copy");
  const [one, two] = ["b1", "b2"].map((id) => Buffer.from(id).toString("base64"));
  const sourceContentMD5 = createHash("md5").update(DATA.slice(10, 15)).digest();
  await destination.stageBlockFromURL(one, url, 0, 5);
  await destination.stageBlockFromURL(two, url, 10, 5, { sourceContentMD5 });
  await destination.commitBlockList([two, one]);
  assert.equal((await content(destination)).toString(), "0123401234");
});

check("Put Page From URL takes a range", async (world) => {
  const url = await sourceOf(world, "s".repeat(2 * PAGE));
  const destination = await world.pageBlob(await world.container(), { size: 4 * PAGE });
  await destination.uploadPagesFromURL(url, PAGE, 2 * PAGE, PAGE);
  assert.deepEqual(await content(destination, 2 * PAGE, PAGE), Buffer.alloc(PAGE, "s"));
});

check("Append Block From URL takes a range", async (world) => {
  const destination = (await world.container()).getAppendBlobClient("log");
  await destination.create();
  await destination.appendBlock("first ", 6);
  await destination.appendBlockFromURL(await sourceOf(world), 0, 10);
  assert.equal((await content(destination)).toString(), "first 0123456789");
});

check("the source of a write from a URL is authorized by itself", async (world) => {
  const [url] = (await sourceOf(world)).split("?");
  const container = await world.container();
  await refused(container.getBlockBlobClient("one").syncUploadFromURL(url), 401);
  await refused(container.getBlobClient("two").syncCopyFromURL(url), 401);
});

check("conditions on the source of a write from a URL are kept", async (world) => {
  const destination = (await world.container()).getBlockBlobClient("copy");
  const options = { sourceConditions: { ifMatch: '"0x1"' } };
  const written = destination.syncUploadFromURL(await sourceOf(world), options);
  await refused(written, 412, "SourceConditionNotMet");
});
