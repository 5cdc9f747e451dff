// Page blobs: their pages, their snapshots, and what differs between two of those.
"use strict";

const { KIB, PAGE, all, assert, check, content, page, pages, refused } = require("./kit");

check("a page blob holds what was written, and zeros elsewhere", async (world) => {
  const blob = await world.pageBlob(await world.container(), { size: 3 * PAGE });
  await blob.uploadPages(page("b"), 2 * PAGE, PAGE);
  const expected = Buffer.concat([page("a"), Buffer.alloc(PAGE), page("b")]);
  assert.deepEqual(await content(blob), expected);
  assert.deepEqual(await content(blob, 510, 4), Buffer.from("aa\0\0"));
});

check("properties say page blob, size and sequence number", async (world) => {
  const blob = await world.pageBlob(await world.container(), { metadata: { made: "by hand" } });
  await blob.updateSequenceNumber("update", 7);
  await blob.updateSequenceNumber("increment");
  const found = await blob.getProperties();
  assert.deepEqual(
    [found.blobType, found.contentLength, found.blobSequenceNumber, found.metadata],
    ["PageBlob", 64 * KIB, 8, { made: "by hand" }],
  );
});

check("cleared pages leave the list of pages", async (world) => {
  const blob = await world.pageBlob(await world.container());
  await blob.uploadPages(Buffer.alloc(2 * PAGE, "b"), 8 * PAGE, 2 * PAGE);
  await blob.clearPages(8 * PAGE, PAGE);
  assert.deepEqual(await pages(blob.listPageRanges()), ["0-0", "9-9"]);
});

check("the list of pages comes in pages", async (world) => {
  const blob = await world.pageBlob(await world.container());
  for (const at of [2, 4]) await blob.uploadPages(page("b"), at * PAGE, PAGE);
  const batches = await all(blob.listPageRanges().byPage({ maxPageSize: 2 }));
  assert.deepEqual(batches.map(({ pageRange }) => pageRange.length), [2, 1]);
});

check("resizing cuts, and grows with zeros", async (world) => {
  const blob = await world.pageBlob(await world.container(), { size: 2 * PAGE });
  await blob.uploadPages(page("b"), PAGE, PAGE);
  await blob.resize(PAGE);
  await blob.resize(2 * PAGE);
  assert.deepEqual(await content(blob), Buffer.concat([page("a"), Buffer.alloc(PAGE)]));
});

check("a snapshot keeps what the blob was", async (world) => {
  const blob = await world.pageBlob(await world.container(), { size: PAGE });
  const { snapshot } = await blob.createSnapshot({ metadata: { day: "1" } });
  await blob.uploadPages(page("z"), 0, PAGE);
  const then = blob.withSnapshot(snapshot);
  assert.deepEqual(await content(then), page("a"));
  assert.deepEqual((await then.getProperties()).metadata, { day: "1" });
});

check("a blob with snapshots goes only together with them", async (world) => {
  const blob = await world.pageBlob(await world.container());
  await blob.createSnapshot();
  await refused(blob.delete(), 409, "SnapshotsPresent");
  await blob.delete({ deleteSnapshots: "include" });
  assert.equal(await blob.exists(), false);
});

check("a diff shows written and cleared pages since a snapshot", async (world) => {
  const blob = await world.pageBlob(await world.container());
  const { snapshot } = await blob.createSnapshot();
  await blob.uploadPages(page("b"), 8 * PAGE, PAGE);
  await blob.clearPages(0, PAGE);
  const diff = await pages(blob.listPageRangesDiff(0, 64 * KIB, snapshot));
  assert.deepEqual(diff.sort(), ["8-8", "cleared 0-0"]);
});

check("a diff of two snapshots leaves later writes out", async (world) => {
  const blob = await world.pageBlob(await world.container());
  const first = await blob.createSnapshot();
  await blob.uploadPages(page("b"), PAGE, PAGE);
  const second = await blob.createSnapshot();
  await blob.uploadPages(page("c"), 2 * PAGE, PAGE);
  const later = blob.withSnapshot(second.snapshot);
  const diff = await pages(later.listPageRangesDiff(0, 64 * KIB, first.snapshot));
  assert.deepEqual(diff, ["1-1"]);
});

check("a diff by the URL of a snapshot is for managed disks", async (world) => {
  const blob = await world.pageBlob(await world.container());
  const { url } = blob.withSnapshot((await blob.createSnapshot()).snapshot);
  const diff = blob.getPageRangesDiffForManagedDisks(0, 64 * KIB, url);
  await refused(diff, 400, "UnsupportedHeaderForNonManagedDisksAccount");
});

check("a diff since an unknown snapshot is refused", async (world) => {
  const blob = await world.pageBlob(await world.container());
  const diff = blob.getPageRangesDiff(0, PAGE, "2020-01-01T00:00:00.0000000Z");
  await refused(diff, 409, "PreviousSnapshotNotFound");
});
