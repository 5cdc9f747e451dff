//! The source of a copy: the blob that its URL names, whether it may be read, and how it is
//! reported.

use std::net::IpAddr;

use http::uri::{Authority, Uri};

use crate::{
    auth::{self, Principal},
    model::{
        conditions::Conditions,
        elsewhere::{Elsewhere, Fetched},
        encryption,
        revision::Revision,
        settings::SourceEcho,
        state::State,
    },
    wire::{
        call::Call,
        error::{Code, Refusal},
        op::Op,
        route::{
            BlobAddress, Query, blob_in, is_disk_account, is_loopback, is_same_service, locate,
        },
    },
};

pub(crate) const COPY_SOURCE: &str = "x-ms-copy-source";
const LONGEST: usize = 2048;

/// The URL in `x-ms-copy-source`.
#[derive(Debug)]
pub(super) struct SourceUrl<'a> {
    text: &'a str,
    /// None for the path form that versions before 2012-02-12 accept.
    authority: Option<Authority>,
    https: bool,
    path: String,
    pub(super) query: Query,
}

/// A source that may be read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) at: BlobAddress,
    pub(super) snapshot: Option<String>,
    pub(super) revision: Revision,
    /// Set if it is on another server.
    pub(super) elsewhere: Option<Elsewhere>,
}

impl<'a> SourceUrl<'a> {
    pub(super) fn of(call: &'a Call) -> Result<Self, Refusal> {
        let text = call.required(COPY_SOURCE)?;
        let refuse = || Refusal::bad_header(COPY_SOURCE, text);
        if text.len() > LONGEST {
            return Err(refuse());
        }
        let uri: Uri = text.parse().map_err(|_| refuse())?;
        check_modelled(call, uri.host())?;
        let absolute = matches!(uri.scheme_str(), Some("http" | "https"));
        if absolute != call.since("2012-02-12") {
            return Err(refuse());
        }
        let query = Query::parse(uri.query()).map_err(|_| refuse())?;
        if query.get("versionid").is_some() {
            return Err(Refusal::from(Code::NotImplemented).detail("Reason", "Blob versions"));
        }
        let https = uri.scheme_str() == Some("https");
        let (authority, path) = (uri.authority().cloned(), uri.path().to_owned());
        Ok(Self { text, authority, https, path, query })
    }

    pub(super) fn snapshot(&self) -> Option<&str> {
        self.query.get("snapshot").filter(|snapshot| !snapshot.is_empty())
    }

    /// Whether the URL addresses the service itself, not another server.
    pub(super) fn is_here(&self, call: &Call) -> bool {
        let own = call.authority.as_ref();
        self.authority.as_ref().is_none_or(|authority| is_same_service(authority, own))
    }

    /// Whether the host is that of a managed disk or of a snapshot of one.
    pub(super) fn is_managed_disk(&self) -> bool {
        let named = |authority: &Authority| is_managed_disk(authority.host());
        let account = blob_in(self.authority.as_ref(), &self.path).map(|at| at.account);
        self.authority.as_ref().is_some_and(named)
            || account.is_some_and(|account| is_disk_account(&account))
    }

    /// Finds the source and checks that it may be read.
    ///
    /// By the table under
    /// [Copy Blob, authorization](https://learn.microsoft.com/rest/api/storageservices/copy-blob#authorization):
    /// a credential for the whole account needs nothing in the URL of a source in that account; any
    /// other needs a SAS there, unless the source is public. `principal` is `None` if the request's
    /// credential never counts: for an incremental copy, Put Block From URL and Put Blob From URL.
    pub(super) fn read(
        &self,
        state: &State,
        call: &Call,
        principal: Option<Principal>,
    ) -> Result<Source, Refusal> {
        let unreadable = |cause: Refusal| call.source_unreadable(&cause);
        let key = encryption::of_source(call)?;
        if let (Some(Fetched(fetched)), Some(authority)) =
            (call.attached.get::<Fetched>(), &self.authority)
        {
            let (revision, elsewhere) = Result::clone(fetched)?;
            Conditions::of_source(call)?.check_source(call, (&revision).into())?;
            let at = BlobAddress::elsewhere(authority, &self.path);
            let snapshot = self.snapshot().map(str::to_owned);
            return Ok(Source { at, snapshot, revision, elsewhere: Some(elsewhere) });
        }
        let route = match self.is_here(call) {
            true => {
                locate(|name| state.accounts.has(name), self.authority.as_ref(), &self.path, false)
            }
            false => Err(Code::ResourceNotFound.into()),
        };
        let route = route.map_err(unreadable)?;
        let same_account = route.account == call.route.account;
        if !same_account && self.authority.is_none() {
            return Err(Code::CopyAcrossAccountsNotSupported.into());
        }
        let trusted = same_account && principal.is_some_and(|it| covers_source(call, it));
        if !trusted || self.query.get("sig").is_some() {
            auth::authorize_source(&route, &self.query, self.https, call, state)
                .map_err(unreadable)?;
        }

        let (Some(container), Some(blob)) = (route.container, route.blob) else {
            return Err(unreadable(Code::ResourceNotFound.into()));
        };
        let at = BlobAddress { account: route.account, container, blob };
        // A request that may read the source itself learns that it does not exist.
        let own = call.op == Op::CopyBlob && trusted && self.query.get("sig").is_none();
        let missing = |cause: Refusal| if own { cause } else { unreadable(cause) };
        let found = state.accounts.blob(&at).map_err(missing)?;
        let revision = found.revision(self.snapshot()).map_err(missing)?;
        encryption::check(revision.encryption.as_ref(), key.as_ref()).map_err(unreadable)?;
        if found.incremental.is_some() && self.snapshot().is_none() {
            return Err(Code::CopySourceCannotBeIncrementalCopyBlob.into());
        }
        Conditions::of_source(call)?.check_source(call, revision.into())?;
        let (snapshot, revision) = (self.snapshot().map(str::to_owned), revision.clone());
        Ok(Source { at, snapshot, revision, elsewhere: None })
    }

    /// The URL as `x-ms-copy-source` returns it later.
    pub(super) fn echoed(&self, call: &Call, echo: SourceEcho) -> String {
        let whole = echo == SourceEcho::AsSent
            || (echo == SourceEcho::Rewritten && !call.since("2021-04-10"));
        let Some(authority) = self.authority.as_ref().filter(|_| !whole) else {
            return self.text.to_owned();
        };
        let rewrites = echo == SourceEcho::WithoutSas || call.since("2026-02-06");
        let (base, query) = self.text.split_once('?').unwrap_or((self.text, ""));
        let port = if authority.port().is_some() { "" } else { ":443" };
        let mut shown = match rewrites {
            true => format!("https://{authority}{port}{}", lower_triplets(&self.path)),
            false => base.to_owned(),
        };
        let mut mark = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let names_blob = pair.starts_with("snapshot=") || pair.starts_with("versionid=");
            if names_blob || (echo == SourceEcho::Rewritten && !pair.starts_with("sig=")) {
                shown.push(mark);
                shown.push_str(&if rewrites { lower_triplets(pair) } else { pair.to_owned() });
                mark = '&';
            }
        }
        shown
    }
}

/// Whether a request's credential can read a source in its own account.
///
/// For Copy Blob, an account key and a bearer token can. Real accounts also accept a bearer token
/// for three of the synchronous operations, from the version on that is used here.
fn covers_source(call: &Call, principal: Principal) -> bool {
    match call.op {
        Op::CopyBlob => principal.reads_own_account(),
        Op::CopyBlobFromUrl | Op::PutPageFromUrl | Op::AppendBlockFromUrl => {
            principal == Principal::Bearer && call.since("2026-02-06")
        }
        _ => false,
    }
}

/// Refuses an Azure file as the source, which is not modelled, and the tag condition, which [Copy
/// Blob From URL](https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url) does not
/// support.
fn check_modelled(call: &Call, host: Option<&str>) -> Result<(), Refusal> {
    const INTENT: &str = "x-ms-file-request-intent";
    const IF_TAGS: &str = "x-ms-source-if-tags";
    let not_modelled =
        |name: &str| Err(Refusal::from(Code::NotImplemented).detail("Reason", name.to_owned()));
    let host = host.unwrap_or_default().to_ascii_lowercase();
    if host.contains(".file.core.") || host.ends_with(".file.storage.azure.net") {
        return not_modelled("A source that is an Azure file");
    }
    if call.header(INTENT).is_some() {
        return not_modelled("x-ms-file-request-intent (a source that is an Azure file)");
    }
    match call.header(IF_TAGS).filter(|_| call.op == Op::CopyBlobFromUrl) {
        None => Ok(()),
        Some(clause) => Err(Refusal::unsupported_header(IF_TAGS, clause)),
    }
}

/// Where the source of a copy is, if it is in this simulator.
pub(crate) fn source_here(call: &Call) -> Option<BlobAddress> {
    call.header(COPY_SOURCE)?;
    let url = SourceUrl::of(call).ok().filter(|url| url.is_here(call))?;
    blob_in(url.authority.as_ref(), &url.path)
}

/// The URL of a source on another server, and its address.
pub(crate) fn source_elsewhere(call: &Call) -> Option<(String, BlobAddress)> {
    let url = SourceUrl::of(call).ok().filter(|url| !url.is_here(call))?;
    let authority = url.authority.as_ref()?;
    // An incremental copy refuses a source whose host name is no account's, and a managed disk.
    let host = authority.host();
    if call.op == Op::IncrementalCopy && (!may_be_account(host) || is_managed_disk(host)) {
        return None;
    }
    Some((url.text.to_owned(), BlobAddress::elsewhere(authority, &url.path)))
}

/// Whether a host may serve an account: by its name, or because it is a machine nearby, where
/// another simulator may run.
fn may_be_account(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let near = !host.contains('.') || host.ends_with(".internal") || is_loopback(host);
    address || near || host.to_ascii_lowercase().contains(".blob.")
}

/// Whether a host is that of a managed disk or of a disk snapshot: account names have no hyphen.
fn is_managed_disk(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    is_disk_account(&host) && host.contains(".blob.")
}

/// `%3A` as `%3a`.
fn lower_triplets(text: &str) -> String {
    let mut left = 0;
    let lowered = text.chars().map(|c| {
        left = if c == '%' { 2 } else { i32::max(left - 1, -1) };
        if left >= 0 { c.to_ascii_lowercase() } else { c }
    });
    lowered.collect()
}
