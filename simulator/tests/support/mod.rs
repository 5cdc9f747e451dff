//! Shared by the tests with referees.

pub(crate) mod azurite;
pub(crate) mod install;
#[macro_use]
pub(crate) mod referees;
