//! How every client is made: from a URL, a credential, an account name and options.

use std::fmt;

use url::Url;

use crate::{
    auth::{credential::Credential, shared_key::check_account},
    error::{Error, Result},
    pipeline::options::ClientOptions,
    wire::redaction,
};

/// Builds a client: returned by `builder` of every client, such as
/// [`BlobServiceClient::builder`](crate::BlobServiceClient::builder).
///
/// ```
/// use blobcopy::{ClientOptions, Credential, PageBlobClient, RetryOptions};
///
/// let url = "https://account.blob.core.windows.net/vhds/disk0.vhd".parse()?;
/// let disk = PageBlobClient::builder(url)
///     .credential(Credential::shared_key("account", "c2VjcmV0")?)
///     .options(ClientOptions::new().retry(RetryOptions::none()))
///     .build()?;
/// assert_eq!(disk.name(), "disk0.vhd");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "it makes a client when it is built"]
#[derive(Clone)]
pub struct ClientBuilder<C> {
    url: Url,
    /// The account name that the user gave.
    account: Option<String>,
    /// From a connection string.
    secondary: Option<Url>,
    credential: Credential,
    options: ClientOptions,
    make: fn(Parts) -> Result<C>,
}

/// What a client is made of. The account is the one that the user named, directly or by its key.
pub(super) struct Parts {
    pub(super) url: Url,
    pub(super) account: Option<String>,
    pub(super) secondary: Option<Url>,
    pub(super) credential: Credential,
    pub(super) options: ClientOptions,
}

impl<C> ClientBuilder<C> {
    pub(super) fn new(url: Url, make: fn(Parts) -> Result<C>) -> Self {
        let (credential, options) = (Credential::anonymous(), ClientOptions::new());
        Self { url, account: None, secondary: None, credential, options, make }
    }

    /// With what a connection string says beside the endpoint and the credential.
    pub(super) fn named(self, account: Option<String>, secondary: Option<Url>) -> Self {
        Self { account, secondary, ..self }
    }

    /// The credential that authorizes the requests. By default the client is anonymous.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// The account's name, if the endpoint does not contain it or contains another: for a custom
    /// domain, a proxy with its own path, or an emulator behind a host name. It takes precedence
    /// over the endpoint, but must not contradict an Azure host. A key, and a connection string
    /// with `AccountName`, already supply the name.
    ///
    /// Signing a user delegation SAS and finding the secondary endpoint require the name.
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, Credential};
    ///
    /// let endpoint = "https://gateway.example.com/storage/account1".parse()?;
    /// let sas = Credential::sas("sv=2026-04-06&ss=b&srt=sco&sp=rw&sig=c2VjcmV0")?;
    /// let service =
    ///     BlobServiceClient::builder(endpoint).credential(sas).account_name("account1").build()?;
    /// assert_eq!(service.account_name(), Some("account1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn account_name(mut self, name: impl Into<String>) -> Self {
        self.account = Some(name.into());
        self
    }

    /// Retries, time limits, the transport and other options.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// Builds the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// As for the `new` of the client, and `InvalidInput` for invalid options, such as an
    /// application id that is not a valid header value.
    pub fn build(self) -> Result<C> {
        let account = self.account()?.map(str::to_owned);
        let Self { url, secondary, credential, options, make, .. } = self;
        make(Parts { url, account, secondary, credential, options })
    }

    /// The account that the user named, directly or by its key.
    fn account(&self) -> Result<Option<&str>> {
        let (name, of_key) = (self.account.as_deref(), self.credential.account());
        if let Some(name) = name {
            check_account(name)?;
            if of_key.is_some_and(|of_key| of_key != name) {
                return Err(Error::invalid("account name", name, "must be that of the key"));
            }
        }
        Ok(name.or(of_key))
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("url", &redaction::Shown(&self.url))
            .field("account", &redaction::Shown(&self.account))
            .field("secondary", &redaction::Shown(&self.secondary))
            .field("credential", &self.credential)
            .field("options", &self.options)
            .finish()
    }
}
