// Block and append blobs, their metadata, headers, tags and tiers.
"use strict";

const { assert, check, content, refused } = require("./kit");

const id = (name) => Buffer.from(name).toString("base64");

check("blocks become a blob when they are listed", async (world) => {
  const blob = (await world.container()).getBlockBlobClient("blocks");
  for (const name of ["a", "b", "c"]) await blob.stageBlock(id(name), name.repeat(3), 3);
  await blob.commitBlockList([id("c"), id("a")]);
  assert.equal((await content(blob)).toString(), "cccaaa");
  const { committedBlocks } = await blob.getBlockList("all");
  assert.deepEqual(committedBlocks, [{ name: id("c"), size: 3 }, { name: id("a"), size: 3 }]);
});

check("large uploads go by blocks", async (world) => {
  const blob = (await world.container()).getBlockBlobClient("large");
  const data = Buffer.alloc(4096, "0123456789abcdef");
  await blob.uploadData(data, { maxSingleShotSize: 1024, blockSize: 1024, concurrency: 2 });
  assert.equal((await blob.getBlockList("committed")).committedBlocks.length, 4);
  assert.deepEqual(await content(blob), data);
});

check("append blobs grow", async (world) => {
  const blob = (await world.container()).getAppendBlobClient("log");
  await blob.create();
  await blob.appendBlock("one,", 4);
  assert.equal((await blob.appendBlock("two", 3)).blobAppendOffset, "4");
  assert.equal((await content(blob)).toString(), "one,two");
});

check("metadata, headers and tags are replaced", async (world) => {
  const blob = await world.blockBlob(await world.container(), { tags: { kind: "note" } });
  await blob.setMetadata({ day: "2" });
  await blob.setHTTPHeaders({ blobContentType: "text/html" });
  await blob.setTags({ kind: "letter" });
  const found = await blob.getProperties();
  assert.deepEqual([found.metadata, found.contentType], [{ day: "2" }, "text/html"]);
  assert.deepEqual((await blob.getTags()).tags, { kind: "letter" });
});

check("an archived blob cannot be read", async (world) => {
  const blob = await world.blockBlob(await world.container());
  await blob.setAccessTier("Archive");
  assert.equal((await blob.getProperties()).accessTier, "Archive");
  await refused(blob.download(), 409, "BlobArchived");
});
