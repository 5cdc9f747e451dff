//! The rounds of a watch, told one event at a time.

use std::{collections::VecDeque, time::Duration, vec};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::{
    CopyWatch, WatchEvent, WatchRound,
    place::{Place, Way},
};
use crate::{BlobItem, CompletedCopy, CopyState, CopyStatus, Error, Pages, Result, wire::clock};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// What each request of a round adds to the shortest wait for the next.
const FOR_EACH_REQUEST: Duration = Duration::from_millis(20);

/// The longest `Retry-After` that is honoured.
const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

/// How long rounds without any answer are repeated.
const LONGEST_OUTAGE: Duration = Duration::from_secs(3600);

/// How many blobs are polled at once.
const AT_ONCE: usize = 16;

/// How long an incremental copy that has succeeded may take to name its snapshot.
const TIME_FOR_SNAPSHOT: Duration = Duration::from_secs(60);

/// The state of a watch.
pub(super) struct Rounds {
    places: Vec<Place>,
    interval: Option<Duration>,
    begun: Instant,
    end: Instant,
    number: u64,
    requests: u64,
    /// Since when no request has succeeded.
    trouble_since: Option<Instant>,
    asked: Duration,
    is_last: bool,
    step: Step,
    told: VecDeque<WatchEvent>,
}

/// What comes next.
enum Step {
    Round,
    Place(usize),
    List {
        place: usize,
        pages: Box<Pages<BlobItem>>,
        read: usize,
        most: usize,
        unseen: usize,
    },
    /// Polls blobs, which a complete listing may not have shown.
    Ask {
        place: usize,
        names: vec::IntoIter<Box<str>>,
        listed: bool,
    },
    Rest,
    Over,
}

impl Rounds {
    pub(super) fn new(watch: CopyWatch) -> Self {
        let now = clock::instant();
        let CopyWatch { places, interval, timeout } = watch;
        Self {
            places,
            interval,
            begun: now,
            end: now + timeout,
            number: 0,
            requests: 0,
            trouble_since: None,
            asked: Duration::ZERO,
            is_last: false,
            step: Step::Round,
            told: VecDeque::new(),
        }
    }

    /// The next event; `None` when all copies have ended.
    pub(super) async fn next(&mut self) -> Result<Option<WatchEvent>> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(Some(event));
            }
            self.step = match std::mem::replace(&mut self.step, Step::Over) {
                Step::Over => return Ok(None),
                Step::Round => self.begin(),
                Step::Place(place) => self.choose(place),
                Step::List { place, pages, read, most, unseen } => {
                    self.list(place, pages, read, most, unseen).await?
                }
                Step::Ask { place, names, listed } => self.ask(place, names, listed).await?,
                Step::Rest => self.rest().await?,
            };
        }
    }

    fn begin(&mut self) -> Step {
        self.places.retain(|place| !place.is_over());
        if self.places.is_empty() {
            return Step::Over;
        }
        (self.number, self.requests, self.asked) = (self.number + 1, 0, Duration::ZERO);
        self.is_last = clock::instant() >= self.end;
        Step::Place(0)
    }

    fn choose(&mut self, place: usize) -> Step {
        let Some(chosen) = self.places.get(place) else { return self.tell_round() };
        match chosen.way() {
            Way::List(pages, most) => {
                Step::List { place, pages, read: 0, most, unseen: chosen.len() }
            }
            Way::Ask => self.ask_unseen(place, false),
        }
    }

    fn ask_unseen(&self, place: usize, listed: bool) -> Step {
        Step::Ask { place, names: self.places[place].unseen(self.number).into_iter(), listed }
    }

    /// Reads one page.
    async fn list(
        &mut self,
        place: usize,
        mut pages: Box<Pages<BlobItem>>,
        read: usize,
        most: usize,
        mut unseen: usize,
    ) -> Result<Step> {
        let page = match pages.try_next().await {
            Ok(page) => page,
            Err(error) => return self.list_failed(place, error),
        };
        let Some(page) = page else {
            self.places[place].has_pages(read, true);
            return Ok(self.ask_unseen(place, true));
        };
        (self.requests, self.trouble_since) = (self.requests + 1, None);
        let (read, is_last) = (read + 1, page.next_marker.is_none());
        let learns = self.places[place].is_to_be_listed();
        for item in page.items {
            let Some(state) = &item.properties.copy else { continue };
            if learns && !state.status.is_final() {
                self.places[place].add(&item.name, &state.copy_id);
            }
            unseen -= usize::from(self.see(place, &item, state) && !learns);
        }
        let is_complete = is_last || !learns && unseen == 0;
        if is_complete || read >= most {
            self.places[place].has_pages(read, is_complete);
            return Ok(self.ask_unseen(place, is_complete));
        }
        Ok(Step::List { place, pages, read, most, unseen })
    }

    fn list_failed(&mut self, place: usize, error: Error) -> Result<Step> {
        let chosen = &mut self.places[place];
        if chosen.starts_at_first && matches!(error, Error::InvalidInput { .. }) {
            // A service version without `startFrom`.
            chosen.starts_at_first = false;
            return Ok(Step::Place(place));
        }
        self.requests += 1;
        if error.is_passing() {
            self.trouble(error)?;
            return Ok(Step::Place(place + 1));
        }
        match chosen.cannot_be_listed() {
            true => Ok(self.ask_unseen(place, false)),
            false => Err(error),
        }
    }

    /// Takes what a listing says about a blob; returns whether it shows a watched copy. Only the
    /// copy itself is believed: anything else is looked at more closely.
    fn see(&mut self, place: usize, item: &BlobItem, state: &CopyState) -> bool {
        let (number, name) = (self.number, item.name.as_str());
        let Some(copy) = self.places[place].get(name) else { return false };
        if copy.id != state.copy_id || copy.seen == number {
            return false;
        }
        let id = copy.id.clone();
        if !state.status.is_final() {
            if let Some(progress) = copy.see(state, number) {
                let copy = self.places[place].tell(name, &id);
                self.told.push_back(WatchEvent::Progress { copy, progress });
            }
            return true;
        }
        let mut operation = self.places[place].operation(name, &id);
        if operation.observe(item).is_err() || !operation.has_completed() {
            return false;
        }
        match operation.outcome() {
            Some(end) => {
                self.ended(place, name, end);
                true
            }
            None => false,
        }
    }

    /// Polls the next blobs.
    async fn ask(
        &mut self,
        place: usize,
        mut names: vec::IntoIter<Box<str>>,
        listed: bool,
    ) -> Result<Step> {
        let chosen = &mut self.places[place];
        let mut asked = Vec::new();
        for name in names.by_ref().take(4 * AT_ONCE) {
            if let Some(copy) = chosen.get(&name) {
                let id = copy.id.clone();
                let operation = chosen.operation(&name, &id);
                asked.push((name, operation));
            }
        }
        if asked.is_empty() {
            return Ok(Step::Place(place + 1));
        }
        let polls = stream::iter(asked).map(async |(name, mut copy)| {
            let state = copy.poll().await;
            let lacks_snapshot =
                matches!(&state, Ok(s) if s.status == CopyStatus::Success) && !copy.has_completed();
            let end = match lacks_snapshot {
                true => Some(copy.wait().timeout(TIME_FOR_SNAPSHOT).await),
                false => copy.outcome(),
            };
            (name, state, end)
        });
        let polls: Vec<_> = Box::pin(polls.buffer_unordered(AT_ONCE).collect()).await;
        for (name, state, end) in polls {
            self.requests += 1;
            match (state, end) {
                (Ok(_), Some(end)) => {
                    self.trouble_since = None;
                    self.ended(place, &name, end);
                }
                (Ok(state), None) => {
                    self.is_pending(place, &name, &state);
                    // The service may have another order of names.
                    self.places[place].starts_at_first &= !listed;
                }
                (Err(error), _) if error.is_passing() => self.trouble(error)?,
                (Err(error), _) => self.ended(place, &name, Err(error)),
            }
        }
        Ok(Step::Ask { place, names, listed })
    }

    /// A poll says that a copy is pending.
    fn is_pending(&mut self, place: usize, name: &str, state: &CopyState) {
        self.trouble_since = None;
        let number = self.number;
        let Some(copy) = self.places[place].get(name) else { return };
        let news = copy.see(state, number);
        let id = copy.id.clone();
        if let Some(progress) = news {
            let copy = self.places[place].tell(name, &id);
            self.told.push_back(WatchEvent::Progress { copy, progress });
        }
    }

    fn ended(&mut self, place: usize, name: &str, end: Result<CompletedCopy>) {
        let place = &mut self.places[place];
        let Some(copy) = place.remove(name) else { return };
        let copy = place.tell(name, &copy.id);
        self.told.push_back(match end {
            Ok(done) => WatchEvent::Succeeded { copy, done: Box::new(done) },
            Err(error) => WatchEvent::Failed { copy, error },
        });
    }

    /// Tells of a failure in passing; returns it if nothing has been heard for too long.
    fn trouble(&mut self, error: Error) -> Result<()> {
        let since = *self.trouble_since.get_or_insert_with(clock::instant);
        if since.elapsed() >= LONGEST_OUTAGE {
            return Err(error);
        }
        self.asked = self.asked.max(error.retry_after().unwrap_or_default());
        self.told.push_back(WatchEvent::Trouble { error });
        Ok(())
    }

    fn tell_round(&mut self) -> Step {
        let pending = self.places.iter().map(Place::len).sum::<usize>() as u64;
        let (number, requests) = (self.number, self.requests);
        if self.is_last {
            self.leave();
        }
        self.told.push_back(WatchEvent::Round(WatchRound { number, requests, pending }));
        match self.is_last || self.places.iter().all(Place::is_over) {
            true => Step::Over,
            false => Step::Rest,
        }
    }

    fn leave(&mut self) {
        for place in &mut self.places {
            for name in place.unseen(u64::MAX) {
                if let Some(copy) = place.remove(&name) {
                    let told = place.tell(&name, &copy.id);
                    self.told.push_back(WatchEvent::Left { copy: told, progress: copy.progress });
                }
            }
        }
    }

    async fn rest(&mut self) -> Result<Step> {
        let now = clock::instant();
        let requests = u32::try_from(self.requests).unwrap_or(u32::MAX);
        let least = SHORTEST.max(FOR_EACH_REQUEST.saturating_mul(requests)).min(LONGEST);
        let eighth = now.saturating_duration_since(self.begun) / 8;
        // Watches that began together drift apart.
        let pace = eighth.clamp(least, LONGEST).mul_f64(1.0 - fastrand::f64() / 20.0);
        let wait = self.interval.unwrap_or(pace).max(self.asked.min(LONGEST_ASKED));
        clock::sleep(wait.min(self.end.saturating_duration_since(now))).await;
        Ok(Step::Round)
    }
}
