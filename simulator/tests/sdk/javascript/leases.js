// Leases of blobs, and what they keep others from.
"use strict";

const { randomUUID } = require("node:crypto");
const { assert, check, refused } = require("./kit");

check("a leased blob is written only with the lease", async (world) => {
  const blob = await world.blockBlob(await world.container());
  const lease = blob.getBlobLeaseClient();
  await lease.acquireLease(-1);
  await refused(blob.setMetadata({ a: "b" }), 412, "LeaseIdMissing");
  const wrong = { conditions: { leaseId: randomUUID() } };
  await refused(blob.setMetadata({ a: "b" }, wrong), 412, "LeaseIdMismatchWithBlobOperation");
  await blob.setMetadata({ a: "b" }, { conditions: { leaseId: lease.leaseId } });
  const found = await blob.getProperties();
  assert.deepEqual(
    [found.leaseStatus, found.leaseState, found.leaseDuration],
    ["locked", "leased", "infinite"],
  );
});

check("a lease is renewed, changed, released and broken", async (world) => {
  const blob = await world.blockBlob(await world.container());
  const lease = blob.getBlobLeaseClient();
  await lease.acquireLease(15);
  await refused(blob.getBlobLeaseClient().acquireLease(15), 409, "LeaseAlreadyPresent");
  await lease.renewLease();
  await lease.changeLease(randomUUID());
  await lease.releaseLease();
  await lease.acquireLease(-1);
  assert.equal((await lease.breakLease(0)).leaseTime, 0);
  assert.equal((await blob.getProperties()).leaseState, "broken");
});

check("a copy into a leased blob takes the lease", async (world) => {
  const container = await world.container();
  const { url } = await world.blockBlob(container, { name: "source" });
  const destination = await world.blockBlob(container, { name: "destination" });
  const { leaseId } = await destination.getBlobLeaseClient().acquireLease(-1);
  await refused(destination.beginCopyFromURL(url), 412, "LeaseIdMissing");
  await destination.beginCopyFromURL(url, { conditions: { leaseId } });
});
