//! What the tests with referees stand on.

pub(crate) mod azurite;
pub(crate) mod install;
#[macro_use]
pub(crate) mod referees;
