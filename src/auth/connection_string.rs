//! tmp
use crate::{auth::credential::Credential, error::*};
use url::Url;
pub(crate) struct ConnectionString(Url, Credential);
impl ConnectionString {
    pub(crate) fn parse(_: &str) -> Result<Self> {
        Err(Error::invalid("connection string", "", "tmp"))
    }
    pub(crate) fn into_parts(self) -> Result<(Url, Credential)> {
        Ok((self.0, self.1))
    }
}
