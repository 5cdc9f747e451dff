//! Conditions on the source and on the destination of a copy, met and not met.

use blobcopy::{BlobClient, Conditions, ETag};
use time::OffsetDateTime;

use super::fixture::{FAR_FUTURE, LONG_AGO, assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    conditions_on_the_source,
    conditions_on_the_destination,
    a_destination_that_must_not_exist,
    both_sides_are_judged,
];

const OTHER_ETAG: &str = "\"0x8D0000000000000\"";

/// The ETag and date of a blob after a write.
struct Written {
    blob: BlobClient,
    etag: ETag,
    date: OffsetDateTime,
}

async fn written(azurite: &Azurite, content: &'static str) -> Written {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("blob");
    let written = blob.upload(content).tags([("state", "ready")]).await.unwrap();
    let (etag, date) = (written.etag.unwrap(), written.last_modified.unwrap());
    Written { blob: (*blob).clone(), etag, date }
}

impl Written {
    fn met(&self) -> Vec<Conditions> {
        let (none, other) = (Conditions::new, || OTHER_ETAG.parse::<ETag>().unwrap());
        vec![
            none().if_match(self.etag.clone()),
            none().if_match(ETag::ANY),
            none().if_none_match(other()),
            none().if_modified_since(LONG_AGO),
            none().if_unmodified_since(self.date),
            none().if_unmodified_since(FAR_FUTURE),
            none().if_match(self.etag.clone()).if_unmodified_since(FAR_FUTURE),
            none().if_none_match(other()).if_modified_since(LONG_AGO),
            none().if_tags("\"state\" = 'ready'"),
        ]
    }

    fn unmet(&self) -> Vec<Conditions> {
        let (none, other) = (Conditions::new, || OTHER_ETAG.parse::<ETag>().unwrap());
        vec![
            none().if_match(other()),
            none().if_none_match(self.etag.clone()),
            none().if_modified_since(self.date),
            none().if_unmodified_since(LONG_AGO),
            none().if_match(other()).if_unmodified_since(LONG_AGO),
            none().if_none_match(self.etag.clone()).if_modified_since(self.date),
            none().if_tags("\"state\" = 'gone'"),
        ]
    }

    async fn content(&self) -> Vec<u8> {
        self.blob.download().await.unwrap().bytes().await.unwrap().to_vec()
    }
}

async fn conditions_on_the_source(azurite: &Azurite) {
    let source = written(azurite, "new").await;
    for conditions in source.met() {
        let destination = written(azurite, "old").await;
        let start = destination.blob.start_copy_from_uri(&source.blob);
        let copy = start.source_conditions(conditions.clone()).await;
        copy.unwrap_or_else(|error| panic!("{conditions:?}: {error}"));
        assert_eq!(destination.content().await, b"new", "{conditions:?}");
    }
    let destination = written(azurite, "old").await;
    for conditions in source.unmet() {
        let start = destination.blob.start_copy_from_uri(&source.blob);
        let refused = [
            (412, "SourceConditionNotMet"),
            // Azurite does not say which condition failed, and treats the copy as a read.
            (412, "ConditionNotMet"),
            (304, "ConditionNotMet"),
        ];
        assert_refused(start.source_conditions(conditions.clone()).await, &refused);
        assert_eq!(destination.content().await, b"old", "{conditions:?}");
    }
}

async fn conditions_on_the_destination(azurite: &Azurite) {
    let source = written(azurite, "new").await;
    // The initial state, because each copy changes what the conditions compare.
    let count = written(azurite, "old").await.met().len();
    for number in 0..count {
        let destination = written(azurite, "old").await;
        let conditions = destination.met().swap_remove(number);
        let start = destination.blob.start_copy_from_uri(&source.blob);
        let copy = start.conditions(conditions.clone()).await;
        copy.unwrap_or_else(|error| panic!("{conditions:?}: {error}"));
        assert_eq!(destination.content().await, b"new", "{conditions:?}");
    }
    let destination = written(azurite, "old").await;
    for conditions in destination.unmet() {
        let start = destination.blob.start_copy_from_uri(&source.blob);
        let refused = [(412, "TargetConditionNotMet"), (412, "ConditionNotMet")];
        let error = assert_refused(start.conditions(conditions.clone()).await, &refused);
        assert!(!error.is_retryable() && !error.may_have_been_applied());
        assert_eq!(destination.content().await, b"old", "{conditions:?}");
    }
}

async fn a_destination_that_must_not_exist(azurite: &Azurite) {
    let source = written(azurite, "new").await;
    let destination = container(azurite, &ACCOUNT).await.blob_client("blob");
    let must_not_exist = || Conditions::new().if_none_match(ETag::ANY);
    let must_exist = || Conditions::new().if_match(ETag::ANY);

    let start = || destination.start_copy_from_uri(&source.blob);
    let refused = [(412, "TargetConditionNotMet"), (412, "ConditionNotMet")];
    let other = Conditions::new().if_match(OTHER_ETAG.parse::<blobcopy::ETag>().unwrap());
    assert_refused(start().conditions(other).await, &refused);
    assert!(!destination.exists().await.unwrap());

    let copy = start().conditions(must_not_exist()).await.unwrap();
    // The documentation says 412, real accounts answer 409.
    let exists =
        [(409, "BlobAlreadyExists"), (412, "TargetConditionNotMet"), (412, "ConditionNotMet")];
    assert_refused(start().conditions(must_not_exist()).await, &exists);
    let kept = destination.get_properties().await.unwrap().copy.unwrap();
    assert_eq!(kept.copy_id, *copy.id());
    start().conditions(must_exist()).await.unwrap();
}

async fn both_sides_are_judged(azurite: &Azurite) {
    let source = written(azurite, "new").await;
    let destination = written(azurite, "old").await;
    let is = |written: &Written| Conditions::new().if_match(written.etag.clone());
    let start = || destination.blob.start_copy_from_uri(&source.blob);

    let crossed = start().source_conditions(is(&destination)).conditions(is(&source)).await;
    let refused = [(412, "SourceConditionNotMet"), (412, "ConditionNotMet")];
    assert_refused(crossed, &refused);
    assert_eq!(destination.content().await, b"old");
    start().source_conditions(is(&source)).conditions(is(&destination)).await.unwrap();
    assert_eq!(destination.content().await, b"new");
}
