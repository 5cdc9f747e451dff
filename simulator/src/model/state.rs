//! The whole state of the service.

use super::{account::Accounts, copies::desk::CopyDesk, settings::Settings, stamps::Stamps};

/// The stored accounts, and the pending copies.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) settings: Settings,
    pub(crate) stamps: Stamps,
    pub(crate) copies: CopyDesk,
}
