//! What a mirror has been granted: noted before it is granted, at most five at a time, renewed, and
//! given back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    ManagedSnapshot, ManagedSnapshots,
    chain::{FOOTER, OneDisk, is_complete, not_complete, the_one_disk},
    notes::{NoNotes, NotedGrants, late_note, note_of_late},
};
use crate::{
    BlobProperties, BlobType, ClientOptions, Clock, Error, PageBlobClient, Result,
    disks::{MirrorError, MirrorWarning, SourceSnapshot},
    wire::{clock, redaction},
};

/// The access of one run to the snapshots of a managed disk.
#[derive(Debug)]
pub(crate) struct Grants {
    source: ManagedSnapshots,
    notes: Arc<dyn NotedGrants>,
    state: Mutex<State>,
}

/// What is granted now.
#[derive(Debug, Default)]
struct State {
    /// What is granted, or may be, and is noted.
    noted: BTreeSet<String>,
    /// What an earlier run has noted and this access does not list: another must give it back.
    of_others: BTreeSet<String>,
    /// What an earlier run may have asked for and not been given: revoked now, but the request may
    /// still land until this time. It stays noted until then, and counts as this mirror's own.
    late: BTreeMap<String, OffsetDateTime>,
    held: BTreeMap<String, Held>,
    /// Counts each use, so that the one that was not used for longest is known.
    uses: u64,
    /// How many requests failed in a row although all access was there.
    mended: u32,
    /// Of which a request for access failed without an answer: it may be granted late.
    lost: BTreeSet<String>,
}

/// Access to a snapshot.
struct Held {
    client: PageBlobClient,
    /// As it was granted, with its SAS and, if it has one, its `snapshot`.
    url: Url,
    /// Whether a bearer token is sent beside the SAS.
    with_token: bool,
    renew_from: Instant,
    ends: Instant,
    used: u64,
}

redaction::debug_redacted!(Held { client, url: text, with_token, renew_from, ends, used });

impl Grants {
    /// The most snapshots of a disk that can be granted at a time.
    pub(crate) const MOST: usize = 5;

    /// The shortest and the longest that the service grants access for.
    const DURATIONS: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_secs(60 * 24 * 3600);

    /// How many failures are mended while all access is there: requests in flight may fail together
    /// when it is renewed, but one that fails for another reason must not be sent for ever.
    const MOST_MENDED: u32 = 256;

    /// How long after a run ended a request of it for access may still land.
    const LATE: time::Duration = time::Duration::minutes(15);

    /// Begins: gives back what an earlier run had noted and not given back, of what is listed. The
    /// rest stays noted: somebody else has granted it, who must give it back.
    ///
    /// What is given back so stays noted for a while, since the earlier run's request for it may
    /// land even later.
    pub(crate) async fn begin(
        source: ManagedSnapshots,
        notes: Arc<dyn NotedGrants>,
    ) -> Result<Arc<Self>, MirrorError> {
        if !Self::DURATIONS.contains(&source.duration) {
            let value = format!("{:?}", source.duration);
            let rule = "must be 1 second to 60 days";
            return Err(Error::invalid("duration of a grant", value, rule).into());
        }
        if !source.access.grants_access() {
            return Ok(Self::of_others(source));
        }
        let now = clock_of(&source).now();
        let (mut noted, mut late) = (BTreeSet::new(), BTreeMap::new());
        for note in notes.noted().await? {
            match late_note(&note) {
                // What landed by then has ended.
                Some((until, _)) if until + source.duration <= now => {}
                Some((until, id)) => drop(late.insert(id.to_owned(), until)),
                None => drop(noted.insert(note)),
            }
        }
        let mut of_others = BTreeSet::new();
        for id in noted.clone() {
            if source.access.get(&id).await?.is_none() {
                noted.remove(&id);
                of_others.insert(id);
            }
        }
        late.extend(noted.iter().map(|id| (id.clone(), now + Self::LATE)));
        let state = Mutex::new(State { noted, of_others, late, ..State::default() });
        let grants = Self { source, notes, state };
        grants.give_all_back().await;
        Ok(Arc::new(grants))
    }

    /// Begins with access that was granted by other means and stays: nothing is noted.
    pub(crate) fn of_others(source: ManagedSnapshots) -> Arc<Self> {
        Arc::new(Self { source, notes: Arc::new(NoNotes), state: Mutex::default() })
    }

    /// The snapshots of the one disk.
    ///
    /// `known` is the unique id of the disk that the destination is the mirror of: it is taken if
    /// there are snapshots of others too.
    pub(crate) async fn list(
        source: &ManagedSnapshots,
        known: Option<&str>,
    ) -> Result<OneDisk, MirrorError> {
        the_one_disk(source.access.list().await?, source.disk.as_deref(), known)
    }

    /// A client that reads the snapshot: granted now if it is not, renewed if it ends soon.
    pub(crate) async fn client(
        &self,
        snapshot: &SourceSnapshot,
    ) -> Result<PageBlobClient, MirrorError> {
        let mut state = self.state.lock().await;
        let now = clock::instant();
        state.uses += 1;
        let uses = state.uses;
        let Some(held) = state.held.get_mut(&snapshot.id) else {
            return self.open(&mut state, snapshot).await;
        };
        held.used = uses;
        if now < held.renew_from {
            return Ok(held.client.clone());
        }
        let (last, ends, with_token) = (held.client.clone(), held.ends, held.with_token);
        match self.grant(&mut state, &snapshot.id, with_token).await {
            Ok(client) => Ok(client),
            Err(error) if clock::instant() < ends => {
                tracing::debug!(%error, "access was not renewed; it has not ended yet");
                Ok(last)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The URL of the snapshot as it was granted, with its SAS: for a difference from it.
    pub(crate) async fn url(&self, snapshot: &SourceSnapshot) -> Result<Url, MirrorError> {
        self.client(snapshot).await?;
        let state = self.state.lock().await;
        let held = state.held.get(&snapshot.id);
        held.map(|held| held.url.clone()).ok_or_else(|| {
            MirrorError::not_now(snapshot, "the access was given back while it was in use")
        })
    }

    /// After a request failed with `error`: whether access was granted again, so that another try
    /// may succeed.
    ///
    /// The request may have read two snapshots, and the access to either may be gone. Each that is
    /// held is tried, since what was renewed by another task needs no new grant: that might end the
    /// access which the other task has just begun to use.
    pub(crate) async fn mend(
        &self,
        snapshot: &SourceSnapshot,
        error: &Error,
    ) -> Result<bool, MirrorError> {
        if !may_be_about_access(error) {
            return Ok(false);
        }
        let mut state = self.state.lock().await;
        // Of one that was given back meanwhile, access is granted when it is next asked for.
        let mut granted = !state.held.contains_key(&snapshot.id);
        let held: Vec<_> = state
            .held
            .iter()
            .map(|(id, held)| (id.clone(), held.client.clone(), held.with_token))
            .collect();
        for (id, client, with_token) in held {
            match client.get_properties().await {
                Ok(_) => continue,
                Err(error) if !may_be_about_access(&error) => return Err(error.into()),
                Err(_) => {}
            }
            let client = self.grant(&mut state, &id, with_token).await?;
            if let Err(error) = client.get_properties().await {
                // A new grant did not help: it is refused for another reason.
                return if may_be_about_access(&error) { Ok(false) } else { Err(error.into()) };
            }
            granted = true;
        }
        state.mended = if granted { 0 } else { state.mended.saturating_add(1) };
        Ok(state.mended <= Self::MOST_MENDED)
    }

    /// Revokes the access to one snapshot.
    pub(crate) async fn give_back(&self, snapshot: &SourceSnapshot) {
        let mut state = self.state.lock().await;
        if state.noted.contains(&snapshot.id) {
            self.revoke(&mut state, &snapshot.id).await;
        }
    }

    /// Revokes all that is left. Returns a warning for each that could not be.
    pub(crate) async fn end(&self) -> Vec<MirrorWarning> {
        let left = self.give_all_back().await.into_iter();
        left.map(|snapshot| MirrorWarning::GrantLeft { snapshot }).collect()
    }

    /// Returns what could not be given back.
    async fn give_all_back(&self) -> BTreeSet<String> {
        let mut state = self.state.lock().await;
        let now = clock_of(&self.source).now();
        let before = state.late.len();
        for (id, until) in state.late.clone() {
            if state.noted.contains(&id) {
                continue;
            }
            match self.source.access.revoke(&id).await {
                // Nothing can land any more.
                Ok(()) if until <= now => drop(state.late.remove(&id)),
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(snapshot = id, %error, "there was nothing to give back");
                }
            }
        }
        for id in state.noted.clone() {
            self.revoke(&mut state, &id).await;
        }
        if state.late.len() < before
            && let Err(error) = self.note(&state).await
        {
            tracing::debug!(%error, "the note of late access was not changed");
        }
        state.noted.clone()
    }

    /// Grants access to a snapshot that this run has none to.
    async fn open(
        &self,
        state: &mut State,
        snapshot: &SourceSnapshot,
    ) -> Result<PageBlobClient, MirrorError> {
        let found = self.source.access.get(&snapshot.id).await?;
        let with_token = self.check(state, found, snapshot)?;
        while state.held.len() >= Self::MOST {
            self.close_oldest(state).await;
        }
        state.noted.insert(snapshot.id.clone());
        if let Err(error) = self.note(state).await {
            state.noted.remove(&snapshot.id);
            return Err(error.into());
        }
        let mut granted = self.grant(state, &snapshot.id, with_token).await;
        // The service may count access of others, which only it knows of.
        while let Err(error) = &granted
            && !error.is_retryable()
            && state.held.len() > 1
        {
            self.close_oldest(state).await;
            granted = self.grant(state, &snapshot.id, with_token).await;
        }
        let mut client = match granted {
            Ok(client) => client,
            Err(error) => {
                // Without a status nobody has refused it: the answer may be lost.
                if error.status().is_some() && !error.may_have_been_applied() {
                    state.noted.remove(&snapshot.id);
                    self.note(state).await?;
                }
                return Err(self.refused_grant(snapshot, error).await);
            }
        };
        let mut found = client.get_properties().await;
        if found.as_ref().is_err_and(may_be_about_access) {
            // Somebody may have revoked it just now.
            client = self.grant(state, &snapshot.id, with_token).await?;
            found = client.get_properties().await;
        }
        check_disk(&found?, snapshot)?;
        if snapshot.length.is_none() {
            check_footer(&client, snapshot).await?;
        }
        Ok(client)
    }

    /// Refuses a snapshot that is gone, or that somebody else has access to. Returns whether a
    /// bearer token is sent.
    fn check(
        &self,
        state: &State,
        found: Option<ManagedSnapshot>,
        snapshot: &SourceSnapshot,
    ) -> Result<bool, MirrorError> {
        let Some(found) = found.filter(|found| snapshot.is(&found.id, found.time)) else {
            return Err(MirrorError::not_now(snapshot, "the snapshot no longer exists"));
        };
        if !is_complete(found.completion) {
            return Err(MirrorError::not_now(snapshot, not_complete(found.completion)));
        }
        let is_own = state.noted.contains(&snapshot.id) || state.late.contains_key(&snapshot.id);
        if found.is_granted && !self.source.take_over && !is_own {
            return Err(MirrorError::not_now(
                snapshot,
                "somebody else has access to this snapshot now, and would lose it when this \
                 mirror gives its own back: wait until it ends, revoke it, or use take_over",
            ));
        }
        let has_credential = self.source.credential.is_some();
        if found.needs_token == Some(true) && !has_credential {
            return Err(MirrorError::refused(
                snapshot,
                "it is read with a bearer token beside the SAS alone (its dataAccessAuthMode is \
                 AzureActiveDirectory): give a credential, by ManagedSnapshots::credential",
            ));
        }
        Ok(has_credential && found.needs_token != Some(false))
    }

    /// Grants access, for the first time or again. It is noted already.
    async fn grant(&self, state: &mut State, id: &str, with_token: bool) -> Result<PageBlobClient> {
        let ManagedSnapshots { access, duration, credential, options, .. } = &self.source;
        let begun = clock::instant();
        let granted = access.grant(id, *duration).await;
        let is_lost = |error: &Error| error.status().is_none() || error.may_have_been_applied();
        if granted.as_ref().is_err_and(is_lost) {
            state.lost.insert(id.to_owned());
        }
        let url = granted?;
        let mut builder = PageBlobClient::builder(url.clone()).options(options.clone());
        if let Some(credential) = credential.as_ref().filter(|_| with_token) {
            builder = builder.credential(credential.clone());
        }
        let client = builder.build()?;
        let (renew_from, ends) = (begun + *duration - ahead(*duration), begun + *duration);
        let held =
            Held { client: client.clone(), url, with_token, renew_from, ends, used: state.uses };
        state.held.insert(id.to_owned(), held);
        Ok(client)
    }

    /// Gives back what was not used for longest.
    async fn close_oldest(&self, state: &mut State) {
        let oldest = state.held.iter().min_by_key(|(_, held)| held.used);
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.revoke(state, &id).await;
        }
    }

    /// Revokes the access to one snapshot. If that fails, the note of it stays, so that the end of
    /// the run and the next run try again.
    async fn revoke(&self, state: &mut State, id: &str) {
        state.held.remove(id);
        match self.source.access.revoke(id).await {
            // There is nothing to revoke of a snapshot that is gone.
            Err(error) if !error.is_not_found() => {
                tracing::debug!(snapshot = id, %error, "access was not given back");
                return;
            }
            _ => {}
        }
        state.noted.remove(id);
        if state.lost.remove(id) || self.source.access.may_grant_late(id) {
            let until = clock_of(&self.source).now() + Self::LATE;
            state.late.insert(id.to_owned(), until);
        }
        if let Err(error) = self.note(state).await {
            // It is revoked once more by the next run.
            tracing::debug!(snapshot = id, %error, "the note of granted access was not changed");
        }
    }

    /// The error of a grant that the service refused.
    async fn refused_grant(&self, snapshot: &SourceSnapshot, error: Error) -> MirrorError {
        if error.status().map(|status| status.as_u16()) != Some(409) {
            return error.into();
        }
        let Ok(listed) = self.source.access.list().await else { return error.into() };
        let granted = listed.iter().filter(|found| found.is_granted).count();
        if granted < Self::MOST {
            return error.into();
        }
        let most = Self::MOST;
        MirrorError::not_now(
            snapshot,
            format_args!(
                "no access was granted: {granted} snapshots are in use now, and at most {most} of \
                 one disk can be; wait until others have given theirs back, or revoke it: {error}"
            ),
        )
    }

    async fn note(&self, state: &State) -> Result<()> {
        let all = state.noted.iter().chain(&state.of_others).cloned();
        let late = state.late.iter().filter(|(id, _)| !state.noted.contains(*id));
        let late = late.filter_map(|(id, until)| note_of_late(*until, id));
        self.notes.note(all.chain(late).collect()).await
    }
}

fn clock_of(source: &ManagedSnapshots) -> Clock {
    let ClientOptions { clock, transport, .. } = &source.options;
    let of_transport = || transport.as_ref().and_then(|transport| transport.clock());
    clock.clone().or_else(of_transport).unwrap_or_else(Clock::system)
}

/// How long before its end access is renewed: 10 minutes, or a quarter of its time if that is more,
/// but never more than half.
fn ahead(duration: Duration) -> Duration {
    Duration::from_secs(600).max(duration / 4).min(duration / 2)
}

/// Whether access to a source that has ended may be why a request failed.
fn may_be_about_access(error: &Error) -> bool {
    let Error::Service(refusal) = error else { return false };
    let statuses = [Some(refusal.status), refusal.source_status];
    statuses.into_iter().flatten().any(|status| matches!(status.as_u16(), 401 | 403))
}

/// Refuses what is not the disk as a fixed VHD: its bytes and a footer.
fn check_disk(found: &BlobProperties, snapshot: &SourceSnapshot) -> Result<(), MirrorError> {
    let is_page_blob = found.blob_type == Some(BlobType::PageBlob);
    let is_expected = snapshot.length.is_none_or(|length| length == found.content_length);
    if is_page_blob && is_expected && found.content_length.is_multiple_of(512) {
        return Ok(());
    }
    let expected = snapshot.length.map_or("a multiple of 512".to_owned(), |it| it.to_string());
    Err(MirrorError::refused(
        snapshot,
        format_args!(
            "its URL is not that of a page blob of {expected} bytes, the disk and a footer of 512 \
             bytes, but of {} bytes: only the format VHD can be read, and not VHDX",
            found.content_length
        ),
    ))
}

/// Refuses what does not end as a fixed VHD. Where the size of the disk is known, its length tells.
async fn check_footer(
    client: &PageBlobClient,
    snapshot: &SourceSnapshot,
) -> Result<(), MirrorError> {
    const COOKIE: &[u8] = b"conectix";
    let length = client.get_properties().await?.content_length;
    let Some(start) = length.checked_sub(FOOTER) else { return Err(no_vhd(snapshot)) };
    let footer = client.download().range(start..length).await?.bytes().await?;
    if footer.starts_with(COOKIE) { Ok(()) } else { Err(no_vhd(snapshot)) }
}

fn no_vhd(snapshot: &SourceSnapshot) -> MirrorError {
    MirrorError::refused(
        snapshot,
        "its URL is not that of a fixed VHD, which ends with a footer of 512 bytes: only the \
         format VHD can be read, and not VHDX",
    )
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
