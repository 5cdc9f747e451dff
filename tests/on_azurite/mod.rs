//! The crate's behaviour on Azurite, the emulator that other tools test against too.
//!
//! It has no incremental copies, and every copy completes at once; the simulator covers those.
//! Where it is known to differ from the service, tests accept either answer and say so.

#![allow(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

mod abort;
mod account_sas;
mod append_blobs;
mod block_lists;
mod containers;
mod copies;
mod copy_conditions;
mod copy_endings;
mod copy_from_uri;
mod copy_sources;
mod delegation;
mod fixture;
mod harness;
mod headers;
mod lease_actions;
mod leases;
mod lists;
mod page_blobs;
mod page_sizes;
mod reads;
mod recording;
mod sas;
mod signing;
mod snapshots;
mod stored_policies;
mod tags;
mod tiers;

use libtest_mimic::Trial;

pub(super) fn tests() -> Vec<Trial> {
    let modules = [
        abort::tests(),
        account_sas::tests(),
        append_blobs::tests(),
        block_lists::tests(),
        containers::tests(),
        copies::tests(),
        copy_conditions::tests(),
        copy_endings::tests(),
        copy_from_uri::tests(),
        copy_sources::tests(),
        delegation::tests(),
        harness::tests(),
        headers::tests(),
        lease_actions::tests(),
        leases::tests(),
        lists::tests(),
        page_blobs::tests(),
        page_sizes::tests(),
        reads::tests(),
        sas::tests(),
        signing::tests(),
        snapshots::tests(),
        stored_policies::tests(),
        tags::tests(),
        tiers::tests(),
    ];
    modules.into_iter().flatten().collect()
}
