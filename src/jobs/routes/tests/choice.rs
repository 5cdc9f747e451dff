//! Which route a blob takes.

use crate::{
    BlobType,
    jobs::{Route, routes::of},
};

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
