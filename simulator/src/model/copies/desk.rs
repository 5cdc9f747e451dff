//! The pending copies, indexed so that a request touches only those that it concerns.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use time::OffsetDateTime;

use super::job::Failure;
use crate::wire::route::BlobAddress;

/// When a copy ends on its own, and its number in the order of starts.
pub(super) type Due = (OffsetDateTime, u64);

type Destinations<K> = BTreeMap<K, Arc<BlobAddress>>;

/// All pending copies, and what a test has planned for later ones.
#[derive(Debug, Default)]
pub(crate) struct CopyDesk {
    pub(crate) started: u64,
    pub(crate) hold_new: bool,
    pub(crate) failures: VecDeque<Failure>,
    /// By destination.
    tickets: BTreeMap<Arc<BlobAddress>, Ticket>,
    due: Destinations<Due>,
    /// Those whose source is on another server.
    due_elsewhere: Destinations<Due>,
    /// For each account that runs its copies one after another, its copies in order.
    queues: BTreeMap<String, Destinations<u64>>,
    added: u64,
    /// How often a copy was checked.
    #[cfg(test)]
    pub(crate) looks: u64,
}

#[derive(Debug, Clone, Copy)]
struct Ticket {
    due: Due,
    elsewhere: bool,
}

impl CopyDesk {
    /// Adds the copy into `at`, which ends at `due`, to the queue of its account if there are
    /// queues.
    pub(super) fn add(
        &mut self,
        at: BlobAddress,
        due: OffsetDateTime,
        elsewhere: bool,
        queued: bool,
    ) {
        self.added += 1;
        let (at, number) = (Arc::new(at), self.added);
        if queued {
            let queue = self.queues.entry(at.account.clone()).or_default();
            queue.insert(number, at.clone());
        }
        let due = (due, number);
        self.tickets.insert(at.clone(), Ticket { due, elsewhere });
        self.schedule(at, due, elsewhere);
    }

    fn schedule(&mut self, at: Arc<BlobAddress>, due: Due, elsewhere: bool) {
        if elsewhere {
            self.due_elsewhere.insert(due, at.clone());
        }
        self.due.insert(due, at);
    }

    pub(super) fn set_due(&mut self, at: &BlobAddress, due: OffsetDateTime) {
        let Some(ticket) = self.tickets.get_mut(at).filter(|ticket| ticket.due.0 != due) else {
            return;
        };
        let Ticket { due: before, elsewhere } = *ticket;
        ticket.due.0 = due;
        self.due_elsewhere.remove(&before);
        if let Some(at) = self.due.remove(&before) {
            self.schedule(at, (due, before.1), elsewhere);
        }
    }

    /// Removes a copy that has ended. Returns the next in the queue.
    pub(super) fn remove(&mut self, at: &BlobAddress) -> Option<Arc<BlobAddress>> {
        let Ticket { due, .. } = self.tickets.remove(at)?;
        self.due.remove(&due);
        self.due_elsewhere.remove(&due);
        let queue = self.queues.get_mut(&at.account)?;
        let was_first = queue.first_key_value().is_some_and(|(first, _)| *first == due.1);
        queue.remove(&due.1);
        queue.first_key_value().filter(|_| was_first).map(|(_, next)| next.clone())
    }

    /// The first copy after this one that is due by `now`.
    pub(super) fn next_due(
        &self,
        after: Option<Due>,
        now: OffsetDateTime,
    ) -> Option<(Due, Arc<BlobAddress>)> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let by_now = Bound::Included((now, u64::MAX));
        if let Bound::Excluded(after) = after
            && after >= (now, u64::MAX)
        {
            return None;
        }
        let (due, at) = self.due.range((after, by_now)).next()?;
        Some((*due, at.clone()))
    }

    /// Whether copies into this account wait for others.
    pub(crate) fn is_queue(&self, account: &str) -> bool {
        self.queues.get(account).is_some_and(|queue| !queue.is_empty())
    }

    /// Those whose source is on another server and that are due by `now`.
    pub(crate) fn due_elsewhere(&self, now: OffsetDateTime) -> impl Iterator<Item = &BlobAddress> {
        self.due_elsewhere.range(..=(now, u64::MAX)).map(|(_, at)| &**at)
    }

    /// Whether any has its source on another server.
    pub(crate) fn leads_elsewhere(&self) -> bool {
        !self.due_elsewhere.is_empty()
    }

    pub(crate) fn has(&self, at: &BlobAddress) -> bool {
        self.tickets.contains_key(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.tickets.len()
    }

    /// The destinations of all, in the order in which the copies were started.
    pub(crate) fn all(&self) -> Vec<Arc<BlobAddress>> {
        in_order(self.tickets.iter())
    }

    /// Those in a container, in the order in which the copies were started.
    pub(super) fn in_container(&self, account: &str, container: &str) -> Vec<Arc<BlobAddress>> {
        let (account, container) = (account.to_owned(), container.to_owned());
        let first = BlobAddress { account, container, blob: String::new() };
        let within =
            |at: &BlobAddress| at.account == first.account && at.container == first.container;
        let from = (Bound::Included(&first), Bound::Unbounded);
        in_order(self.tickets.range::<BlobAddress, _>(from).take_while(|(at, _)| within(at)))
    }
}

fn in_order<'a>(
    tickets: impl Iterator<Item = (&'a Arc<BlobAddress>, &'a Ticket)>,
) -> Vec<Arc<BlobAddress>> {
    let mut numbered: Vec<_> = tickets.map(|(at, ticket)| (ticket.due.1, at)).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, at)| at.clone()).collect()
}
