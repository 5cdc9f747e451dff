//! The whole state of the service.

use super::{
    account::Accounts, copies::desk::CopyDesk, disks::Disks, settings::Settings, stamps::Stamps,
};

/// The stored accounts, the pending copies, and the managed disks.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) settings: Settings,
    pub(crate) stamps: Stamps,
    pub(crate) copies: CopyDesk,
    pub(crate) disks: Disks,
}
