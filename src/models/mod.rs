//! The service's values: ids, words, conditions, properties.

pub(crate) mod address;
pub(crate) mod block_list;
pub(crate) mod byte_range;
pub(crate) mod conditions;
pub(crate) mod container_listing;
pub(crate) mod content_hash;
pub(crate) mod content_range;
pub(crate) mod copy_properties;
pub(crate) mod copy_state;
pub(crate) mod encryption;
pub(crate) mod endpoint;
pub(crate) mod error_code;
pub(crate) mod listing;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod opaque;
pub(crate) mod page;
pub(crate) mod page_ranges;
pub(crate) mod properties;
pub(crate) mod service_version;
pub(crate) mod since;
pub(crate) mod tags;
pub(crate) mod words;
pub(crate) mod written;

pub(crate) use self::byte_range::ByteRange;
pub use self::{
    block_list::{Block, BlockId, BlockList, BlockListEntry},
    conditions::Conditions,
    container_listing::ContainerItem,
    content_hash::{ContentCrc64, ContentMd5},
    copy_state::*,
    encryption::CustomerProvidedKey,
    error_code::ErrorCode,
    listing::{BlobHierarchyItem, BlobItem},
    metadata::Metadata,
    opaque::*,
    page_ranges::{PageRange, PageRangeItem},
    properties::*,
    service_version::ServiceVersion,
    tags::Tags,
    words::*,
    written::{BlobContentInfo, BlobCopyInfo, BlockInfo, PageInfo},
};
