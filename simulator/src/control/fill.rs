//! Many small blobs at once, for tests of many copies.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    doors::shared::Shared,
    model::{
        blobs::Blobs,
        container::{Container, PublicAccess},
        content::{Block, Content},
        metadata::DEFAULT_TYPE,
        revision::{ContentHeaders, Revision},
        state::State,
    },
    ops::checksums,
};

/// How many different contents there are: a prime, so that counting in tens meets all.
const CONTENTS: usize = 65_521;

/// Puts `count` block blobs into a container, which is made if it does not exist.
pub(crate) fn fill(shared: &Shared, account: &str, container: &str, count: usize, bytes: usize) {
    let now = shared.clock.now();
    let mut service = shared.current();
    let State { accounts, stamps, .. } = &mut service.state;
    let known = accounts.0.get_mut(account);
    let known = known.unwrap_or_else(|| panic!("account {account:?} does not exist"));
    let order = known.order;
    let container = known.containers.entry(container.to_owned()).or_insert_with(|| Container {
        etag: stamps.etag(),
        last_modified: now,
        metadata: Default::default(),
        public_access: PublicAccess::None,
        policies: Vec::new(),
        lease: None,
        blobs: Blobs::new(order),
        staged: Default::default(),
    });

    let contents = count.min(CONTENTS);
    let mut buffer = vec![0; bytes + contents];
    fastrand::Rng::with_seed(1).fill(&mut buffer);
    let buffer = Bytes::from(buffer);
    let content = |at: usize| buffer.slice(at..at + bytes);
    let md5: Vec<String> = (0..contents).map(|at| checksums::md5(&content(at))).collect();
    for number in 0..count {
        let at = number % contents;
        let block = Some(Block { id: None, bytes: content(at) }).filter(|_| bytes > 0);
        let revision = Revision {
            content: Content::Block(Arc::from_iter(block)),
            headers: ContentHeaders {
                content_type: Some(DEFAULT_TYPE.into()),
                md5: Some(md5[at].clone()),
                ..ContentHeaders::default()
            },
            metadata: Default::default(),
            tags: Default::default(),
            etag: stamps.etag(),
            last_modified: now,
            created: now,
            generation: stamps.next(),
            sequence_number: 0,
            tier: None,
            copy: None,
            incremental: false,
            sealed: false,
            encryption: None,
        };
        container.blobs.put(&format!("blob-{number:08}"), revision);
    }
}
