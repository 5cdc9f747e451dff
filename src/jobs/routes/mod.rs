//! The routes of a job: each carries one blob to its destination.
//!
//! A route takes a [`Task`](super::task::Task) and gives [`Carried`](super::task::Carried), or says
//! in [`NotCarried`] why the blob is not there yet. What it needs to go on after a crash lies at
//! the destination: staged blocks, or pages and a [`Mark`](mark::Mark).

mod blob_from_url;
mod blocks;
pub(crate) mod kept;
pub(crate) mod mark;
mod not_carried;
mod pages;
mod service_copy;

#[cfg(test)]
mod tests;

pub(crate) use self::not_carried::{NotCarried, Why};

use super::{
    Route,
    task::{Carried, Cost, Task},
};
use crate::BlobType;

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
        Route::BlocksFromUrl => blocks::carry(task).await,
        Route::PagesFromUrl => pages::carry(task).await,
    }
}

/// What a route takes for a blob, if all goes well.
pub(crate) async fn cost(task: &Task) -> Result<Cost, NotCarried> {
    Ok(match task.route {
        Route::ServiceCopy => service_copy::cost(task),
        Route::BlobFromUrl => blob_from_url::cost(task),
        Route::BlocksFromUrl => blocks::cost(task).await?,
        Route::PagesFromUrl => pages::cost(task).await?,
    })
}
