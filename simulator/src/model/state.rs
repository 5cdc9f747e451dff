//! Everything that the service remembers.

use super::{account::Accounts, copies::desk::CopyDesk, settings::Settings, stamps::Stamps};

/// What is stored, and the copies under way.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) settings: Settings,
    pub(crate) stamps: Stamps,
    pub(crate) copies: CopyDesk,
}
