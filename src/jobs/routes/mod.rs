//! The routes of a job: each carries one blob to its destination.
//!
//! A route takes a [`Task`](super::task::Task) and gives [`Carried`](super::task::Carried), or says
//! in [`NotCarried`] why the blob is not there yet. What it needs to go on after a crash lies at
//! the destination: staged blocks, or pages and a [`Mark`](mark::Mark).

mod blob_from_url;
pub(crate) mod kept;
pub(crate) mod mark;
mod not_carried;
mod service_copy;

pub(crate) use self::not_carried::{NotCarried, Why};

use super::{
    Route,
    task::{Carried, Cost, Task},
};
use crate::{BlobType, Error};

/// The route of a blob, by the accounts, its type and its length.
pub(crate) fn of(
    is_same_account: bool,
    blob_type: Option<&BlobType>,
    length: u64,
    single: u64,
) -> Route {
    match blob_type {
        _ if is_same_account => Route::ServiceCopy,
        Some(BlobType::PageBlob) => Route::PagesFromUrl,
        Some(BlobType::BlockBlob) if length <= single => Route::BlobFromUrl,
        Some(BlobType::BlockBlob) => Route::BlocksFromUrl,
        _ => Route::ServiceCopy,
    }
}

/// Whether a route keeps metadata whatever its names and values: the service copies it.
pub(crate) fn keeps_all_metadata(route: Route) -> bool {
    matches!(route, Route::ServiceCopy | Route::BlobFromUrl)
}

/// Carries a blob to its destination by its route.
pub(crate) async fn carry(task: &Task) -> Result<Carried, NotCarried> {
    match task.route {
        Route::ServiceCopy => service_copy::carry(task).await,
        Route::BlobFromUrl => blob_from_url::carry(task).await,
        Route::BlocksFromUrl | Route::PagesFromUrl => {
            let rule = "is not carried by this route yet";
            Err(Error::invalid("blob", &task.name, rule).into())
        }
    }
}

/// What a route takes for a blob, if all goes well.
pub(crate) async fn cost(task: &Task) -> Result<Cost, NotCarried> {
    Ok(match task.route {
        Route::ServiceCopy => service_copy::cost(task),
        Route::BlobFromUrl => blob_from_url::cost(task),
        Route::BlocksFromUrl | Route::PagesFromUrl => {
            Cost { requests: 0, bytes: task.item.properties.content_length }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_follows_from_accounts_type_and_length() {
        use BlobType::{AppendBlob, BlockBlob, PageBlob};
        for (same, kind, length, expected) in [
            (true, BlockBlob, 1 << 40, Route::ServiceCopy),
            (true, PageBlob, 512, Route::ServiceCopy),
            (false, AppendBlob, 512, Route::ServiceCopy),
            (false, BlockBlob, 256 << 20, Route::BlobFromUrl),
            (false, BlockBlob, (256 << 20) + 1, Route::BlocksFromUrl),
            (false, PageBlob, 512, Route::PagesFromUrl),
        ] {
            assert_eq!(of(same, Some(&kind), length, 256 << 20), expected, "{kind} {length}");
        }
    }
}
