//! Accounts, credentials, and the clients of what SOURCE and DEST name.

mod login;
mod settings;

use std::sync::atomic::{AtomicBool, Ordering};

use blobcopy::{
    BlobClient, BlobContainerClient, BlobServiceClient, ClientOptions, CopySource, Credential,
};
use url::Url;

use self::settings::{Settings, Unplaced};
use crate::{
    address::{Address, Place, base},
    args::{AccountArgs, CallArgs, SourceAccountArgs},
    failure::{Failure, Result},
    output::Printer,
};

/// The accounts that a command knows.
#[derive(Debug)]
pub(crate) struct Contexts {
    main: Context,
    source: Option<Context>,
    options: ClientOptions,
    printer: Printer,
    /// The flags that name the main account.
    flags: String,
    /// The flags that name the source's account.
    source_flags: String,
    /// Whether the SAS of a destination, and that of a source, were warned of.
    warned: [AtomicBool; 2],
}

/// One account, if one is named, and how its requests are authorized.
#[derive(Debug)]
struct Context {
    service: Option<BlobServiceClient>,
    /// The login, which holds for other accounts too.
    login: Option<Credential>,
    /// A key or a SAS of an account that only a URL names.
    unplaced: Option<Unplaced>,
}

/// The source of a copy.
#[derive(Debug)]
pub(crate) struct Source {
    /// How the service may read it.
    pub(crate) copy: CopySource,
    /// How this program may read it, where it can tell.
    pub(crate) client: Option<BlobClient>,
    pub(crate) url: Url,
}

/// Which of the two accounts an address without an account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Main,
    Source,
}

impl Contexts {
    /// The account of the flags or, where they are silent, of the environment.
    pub(crate) async fn new(
        account: &AccountArgs,
        source: Option<&SourceAccountArgs>,
        calls: &CallArgs,
        printer: &Printer,
    ) -> Result<Self> {
        let mut options = ClientOptions::new()
            .application_id(concat!("blobcopy-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(limit) = calls.client_timeout {
            options = options.attempt_timeout(limit);
        }
        if let Some(limit) = calls.server_timeout {
            options = options.server_timeout(limit);
        }
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let secret = settings::secret_in_file(account).await?;
        let settings = Settings::read(account, secret, "AZURE_STORAGE_", "", &environment)?;
        let main = Context::new(settings.unwrap_or_default(), &options)?;
        let mut source_flags = String::new();
        let context = match source {
            None => None,
            Some(source) => {
                let (source, prefix) = (source.as_account(), "AZURE_STORAGE_SOURCE_");
                if source.reads_stdin() && account.reads_stdin() {
                    return Err(Failure::usage(
                        "two secrets are to be read from standard input",
                        "give one of them in a file",
                    ));
                }
                source_flags = source.repeated("source-");
                let secret = settings::secret_in_file(&source).await?;
                let settings = Settings::read(&source, secret, prefix, "source-", &environment)?;
                settings.map(|settings| Context::new(settings, &options)).transpose()?
            }
        };
        let flags = account.repeated("");
        let printer = printer.clone();
        let warned = Default::default();
        Ok(Self { main, source: context, options, printer, flags, source_flags, warned })
    }

    /// The flags that name the main account, for a command to be shown.
    pub(crate) fn flags(&self) -> &str {
        &self.flags
    }

    /// The flags that name both accounts, for a command that copies.
    pub(crate) fn all_flags(&self) -> String {
        format!("{}{}", self.flags, self.source_flags)
    }

    /// The same address, as a URL where its name would be read as a snapshot's.
    pub(crate) fn unmistakable(&self, address: Address) -> Result<Address> {
        if matches!(address.place, Place::Url(_))
            || Address::parse(&address.shown()).is_ok_and(|read| read == address)
        {
            return Ok(address);
        }
        let url = self.blob(&address)?.url()?;
        Ok(Address { place: Place::Url(url), ..address })
    }

    /// The login, which Azure Resource Manager takes too, and the options of its client.
    pub(crate) fn manager(&self) -> Result<(Credential, ClientOptions)> {
        let login = self.login(Role::Source).ok_or_else(|| {
            Failure::usage(
                "a managed disk is read by a login alone",
                "give --login, or --source-login where the destination takes another credential",
            )
        })?;
        Ok((login, self.options.clone()))
    }

    /// The options of clients of other services.
    pub(crate) fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// The blob of an address, or the snapshot that it names by its time.
    pub(crate) fn blob(&self, address: &Address) -> Result<BlobClient> {
        self.blob_as(Role::Main, address)
    }

    pub(crate) fn container(&self, address: &Address) -> Result<BlobContainerClient> {
        self.container_as(Role::Main, address)
    }

    /// A blob that this program itself looks at, which is the source of a copy.
    pub(crate) fn source_blob(&self, address: &Address) -> Result<BlobClient> {
        self.blob_as(Role::Source, address)
    }

    /// The container of a source, which this program lists.
    pub(crate) fn source_container(&self, address: &Address) -> Result<BlobContainerClient> {
        self.container_as(Role::Source, address)
    }

    /// The source of a copy, without the snapshot that its address may name.
    pub(crate) fn source(&self, address: &Address) -> Result<Source> {
        if let Place::Url(url) = &address.place
            && self.known(Role::Source, address, url)?.is_none()
        {
            self.warn_of_sas(Role::Source, address);
            let client = BlobClient::builder(url.clone()).options(self.options.clone()).build();
            let client = client.ok().filter(|_| address.holds_sas());
            return Ok(Source { copy: CopySource::from(url), client, url: url.clone() });
        }
        let client = self.blob_as(Role::Source, address)?;
        let url = client.url()?;
        Ok(Source { copy: CopySource::from(&client), client: Some(client), url })
    }

    fn blob_as(&self, role: Role, address: &Address) -> Result<BlobClient> {
        match &address.place {
            Place::Url(url) if self.known(role, address, url)?.is_none() => {
                self.warn_of_sas(role, address);
                let options = self.options.clone();
                Ok(BlobClient::builder(base(url)).options(options).build()?)
            }
            _ => Ok(self.container_as(role, address)?.blob_client(&address.name)),
        }
    }

    fn container_as(&self, role: Role, address: &Address) -> Result<BlobContainerClient> {
        let service = match &address.place {
            Place::Context => {
                let context = self.of(role);
                context.service.clone().ok_or_else(|| context.no_account())?
            }
            Place::Account(account) => self.in_account(role, account)?,
            Place::Url(url) => match self.known(role, address, url)? {
                Some(service) => service,
                None => {
                    self.warn_of_sas(role, address);
                    let (anonymous, options) = (Credential::anonymous(), self.options.clone());
                    let url = address.container_url().unwrap_or_else(|| base(url));
                    return Ok(BlobContainerClient::builder(url)
                        .credential(anonymous)
                        .options(options)
                        .build()?);
                }
            },
        };
        Ok(service.container_client(&address.container))
    }

    /// The account's own context, the login at another account, or no credential at all.
    fn in_account(&self, role: Role, account: &str) -> Result<BlobServiceClient> {
        let own = |service: &&BlobServiceClient| service.account_name() == Some(account);
        let mut services = self.nearest(role).filter_map(|context| context.service.as_ref());
        if let Some(service) = services.find(own) {
            return Ok(service.clone());
        }
        let beside = self.nearest(role).find_map(|context| context.service.as_ref());
        let endpoint = match beside {
            Some(service) => sibling(service, account),
            None => format!("https://{account}.blob.core.windows.net").parse().ok(),
        };
        let endpoint = endpoint.ok_or_else(|| {
            Failure::usage(
                format!("where account {account} is does not follow from the context's endpoint"),
                "name the blob by its URL",
            )
        })?;
        let builder = BlobServiceClient::builder(endpoint)
            .credential(self.login(role).unwrap_or_else(Credential::anonymous))
            .options(self.options.clone());
        Ok(builder.build()?)
    }

    /// A client of the account that a URL leads to, if a context has what authorizes it. A SAS in
    /// the URL goes before that.
    fn known(&self, role: Role, address: &Address, url: &Url) -> Result<Option<BlobServiceClient>> {
        if address.holds_sas() {
            return Ok(None);
        }
        let mut services = self.nearest(role).filter_map(|context| context.service.as_ref());
        if let Some(service) = services.find(|service| is_behind(service.url(), url)) {
            return Ok(Some(service.clone()));
        }
        // What is given for the destination is not for the source's account.
        let own = match role {
            Role::Main => Some(&self.main),
            Role::Source => self.source.as_ref(),
        };
        if let Some(unplaced) = own.and_then(|context| context.unplaced.as_ref())
            && let Some(endpoint) = address.endpoint()
        {
            let builder = BlobServiceClient::builder(endpoint.clone())
                .credential(unplaced.credential(&endpoint)?)
                .options(self.options.clone());
            return Ok(Some(builder.build()?));
        }
        Ok(self.logged_in(role, url))
    }

    /// A client with the login, which holds for every account; but its tokens are for the service
    /// alone.
    fn logged_in(&self, role: Role, url: &Url) -> Option<BlobServiceClient> {
        let login = self.login(role)?;
        let host = url.host_str()?;
        let (account, rest) = host.split_once(".blob.")?;
        let azure = ["core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net"];
        if account.contains('.') || url.scheme() != "https" || !azure.contains(&rest) {
            return None;
        }
        let endpoint = format!("https://{host}").parse().ok()?;
        let builder = BlobServiceClient::builder(endpoint).credential(login);
        builder.options(self.options.clone()).build().ok()
    }

    fn of(&self, role: Role) -> &Context {
        match (role, &self.source) {
            (Role::Source, Some(source)) => source,
            _ => &self.main,
        }
    }

    /// The contexts, that of the role first.
    fn nearest(&self, role: Role) -> impl Iterator<Item = &Context> {
        let (first, second) = match role {
            Role::Source => (self.source.as_ref(), Some(&self.main)),
            Role::Main => (Some(&self.main), self.source.as_ref()),
        };
        first.into_iter().chain(second)
    }

    fn login(&self, role: Role) -> Option<Credential> {
        self.nearest(role).find_map(|context| context.login.clone())
    }

    fn warn_of_sas(&self, role: Role, address: &Address) {
        let (flag, warned) = match role {
            Role::Main => ("--sas-file", &self.warned[0]),
            Role::Source => ("--source-sas-file", &self.warned[1]),
        };
        // The SAS of a line of JSON is not in the process list.
        let is_listed = |signature: &str| {
            std::env::args_os().any(|argument| argument.to_string_lossy().contains(signature))
        };
        if address.signature().is_some_and(is_listed) && !warned.swap(true, Ordering::Relaxed) {
            self.printer.note(&format!(
                "warning: the process list shows the SAS in this command; {flag} keeps it out"
            ));
        }
    }
}

impl Context {
    fn new(mut settings: Settings, options: &ClientOptions) -> Result<Self> {
        let unplaced = settings.unplaced();
        let login = settings.login.map(login::credential).transpose()?;
        let service = settings.service(login.clone())?;
        let service =
            service.map(|builder| builder.options(options.clone()).build()).transpose()?;
        Ok(Self { service, login, unplaced })
    }

    /// Why nothing is to be reached in it.
    fn no_account(&self) -> Failure {
        match &self.unplaced {
            Some(unplaced) => unplaced.failure(),
            None => no_account(),
        }
    }
}

fn no_account() -> Failure {
    Failure::usage(
        "no account is named",
        "set AZURE_STORAGE_CONNECTION_STRING, or give --account with --key-file, --sas-file or \
         --login",
    )
}

/// Whether a URL leads into the account at `endpoint`.
fn is_behind(endpoint: &Url, url: &Url) -> bool {
    let same_host = endpoint.scheme() == url.scheme()
        && endpoint.host() == url.host()
        && endpoint.port_or_known_default() == url.port_or_known_default();
    let path = endpoint.path().trim_end_matches('/');
    same_host && url.path().strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// The endpoint of another account in the same cloud, or the same emulator.
fn sibling(service: &BlobServiceClient, account: &str) -> Option<Url> {
    let (endpoint, own) = (service.url(), service.account_name()?);
    let text = endpoint.as_str();
    let in_host = format!("{}://{own}.", endpoint.scheme());
    let in_path = format!("/{own}");
    let text = match text.strip_prefix(&in_host) {
        Some(rest) => format!("{}://{account}.{rest}", endpoint.scheme()),
        None => {
            let before = text.trim_end_matches('/').strip_suffix(&in_path)?;
            format!("{before}/{account}")
        }
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect(text)
    }

    #[test]
    fn a_url_is_behind_an_endpoint_only_as_a_whole() {
        let endpoint = url("http://127.0.0.1:10000/acct");
        assert!(is_behind(&endpoint, &url("http://127.0.0.1:10000/acct/vhds/d")));
        for other in [
            "http://127.0.0.1:10000/acct2/vhds/d",
            "http://127.0.0.1:10001/acct/vhds/d",
            "https://127.0.0.1:10000/acct/vhds/d",
            "http://localhost:10000/acct/vhds/d",
        ] {
            assert!(!is_behind(&endpoint, &url(other)), "{other}");
        }
        let azure = url("https://acct.blob.core.windows.net/");
        assert!(is_behind(&azure, &url("https://acct.blob.core.windows.net/vhds/d?snapshot=x")));
    }

    #[test]
    fn another_account_is_found_beside_the_first() {
        let beside = |endpoint: &str| {
            let service = BlobServiceClient::new(url(endpoint), Credential::anonymous());
            sibling(&service.expect("a client"), "other").map(String::from)
        };
        let azure = beside("https://acct.blob.core.usgovcloudapi.net");
        assert_eq!(azure.as_deref(), Some("https://other.blob.core.usgovcloudapi.net/"));
        let local = beside("http://127.0.0.1:10000/acct");
        assert_eq!(local.as_deref(), Some("http://127.0.0.1:10000/other"));
    }

    #[test]
    fn the_snapshot_leaves_a_url_and_its_sas_stays_byte_for_byte() {
        let sas = "sv=2026-10-06&sig=a%2Bb%3D";
        let snapshot = url(&format!("https://a.example/c/d/e%20f?snapshot=2026&{sas}"));
        assert_eq!(base(&snapshot).as_str(), format!("https://a.example/c/d/e%20f?{sas}"));
        assert_eq!(
            base(&url("https://a.example/c/b?snapshot=x")).as_str(),
            "https://a.example/c/b"
        );
    }
}
