//! The blocks of a block blob: their ids and lists.
//!
//! From [Put Block List](https://learn.microsoft.com/rest/api/storageservices/put-block-list).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::{
    error::{Error, Result},
    wire::{malformed::Malformed, redaction, xml::Xml},
};

/// The id of a block within its blob: 1 to 64 bytes, chosen by the application. All block ids of a
/// blob must have the same length.
///
/// `Display`, parsing and serialization use base64, like the service. A non-text id of 64 bytes
/// could be an account key by mistake, so it is displayed as `REDACTED` and cannot be serialized.
/// Do not use a secret as an id.
///
/// ```
/// use blobcopy::BlockId;
///
/// let id = BlockId::numbered(7);
/// assert_eq!(id.as_bytes(), b"0000000007");
/// assert_eq!(id.to_string(), "MDAwMDAwMDAwNw==");
/// assert_eq!(BlockId::new("0000000007")?, id);
/// assert!(BlockId::new([0; 65]).is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(Box<[u8]>);

impl BlockId {
    /// Makes an id from these bytes.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no bytes, or more than 64.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self> {
        let bytes = bytes.as_ref();
        if !(1..=64).contains(&bytes.len()) {
            let value = format!("{} bytes", bytes.len());
            return Err(Error::invalid("block id", value, "must be 1 to 64 bytes"));
        }
        Ok(Self(bytes.into()))
    }

    /// Makes an id from a number. It always has ten digits.
    pub fn numbered(number: u32) -> Self {
        Self(format!("{number:010}").into_bytes().into())
    }

    /// The id as it is sent. `Display` and `Debug` hide one that looks like an account key.
    pub(crate) fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// Whether the id has the length of an account key and is not text.
    fn looks_secret(&self) -> bool {
        const ACCOUNT_KEY: usize = 64;
        self.0.len() == ACCOUNT_KEY && !self.0.iter().all(|byte| matches!(byte, b' '..=b'~'))
    }

    /// The id's bytes, not in base64.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&BlockId> for BlockId {
    fn from(id: &BlockId) -> Self {
        id.clone()
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.looks_secret() {
            true => f.pad(redaction::REDACTED),
            false => f.pad(&self.to_base64()),
        }
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({self})")
    }
}

impl FromStr for BlockId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match STANDARD.decode(text) {
            Ok(bytes) => Self::new(bytes),
            Err(_) => Err(Error::invalid("block id", text, "must be base64 text")),
        }
    }
}

impl Serialize for BlockId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.looks_secret() {
            true => {
                Err(ser::Error::custom("a block id that looks like an account key is not stored"))
            }
            false => serializer.serialize_str(&self.to_base64()),
        }
    }
}

impl<'de> Deserialize<'de> for BlockId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A block to commit, and where the service looks for it.
///
/// A bare [`BlockId`] converts to [`Latest`](Self::Latest).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlockListEntry {
    /// The uncommitted block with this id or, if there is none, the committed one.
    Latest(BlockId),
    /// The committed block with this id.
    Committed(BlockId),
    /// The uncommitted block with this id.
    Uncommitted(BlockId),
}

impl BlockListEntry {
    /// The block's id.
    pub fn id(&self) -> &BlockId {
        match self {
            Self::Latest(id) | Self::Committed(id) | Self::Uncommitted(id) => id,
        }
    }
}

impl From<BlockId> for BlockListEntry {
    fn from(id: BlockId) -> Self {
        Self::Latest(id)
    }
}

impl From<&BlockId> for BlockListEntry {
    fn from(id: &BlockId) -> Self {
        Self::Latest(id.clone())
    }
}

/// One committed or uncommitted block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Block {
    /// The block's id.
    pub id: BlockId,
    /// Its length in bytes.
    pub size: u64,
}

/// The blocks of a blob.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlockList {
    /// The committed blocks, in the order of the blob's content.
    pub committed: Vec<Block>,
    /// The uncommitted blocks, ordered by id. The service discards them after a week, and when the
    /// whole blob is overwritten.
    pub uncommitted: Vec<Block>,
}

/// The body of Put Block List.
pub(crate) fn write(blocks: &[BlockListEntry]) -> String {
    let mut body = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for block in blocks {
        let name = match block {
            BlockListEntry::Latest(_) => "Latest",
            BlockListEntry::Committed(_) => "Committed",
            BlockListEntry::Uncommitted(_) => "Uncommitted",
        };
        let id = block.id();
        body.push_str(&format!("<{name}>{}</{name}>", id.to_base64()));
    }
    body.push_str("</BlockList>");
    body
}

/// The most committed blocks of a blob.
const MOST_COMMITTED: usize = 50_000;

/// The most uncommitted blocks of a blob.
const MOST_UNCOMMITTED: usize = 100_000;

/// Parses the response to Get Block List.
pub(crate) fn parse(body: &[u8]) -> Result<BlockList, Malformed> {
    let mut list = BlockList::default();
    let mut xml = Xml::enter(body, "BlockList")?;
    while let Some(element) = xml.child()? {
        match element {
            b"CommittedBlocks" => list.committed = blocks(&mut xml, MOST_COMMITTED)?,
            b"UncommittedBlocks" => list.uncommitted = blocks(&mut xml, MOST_UNCOMMITTED)?,
            _ => xml.skip()?,
        }
    }
    Ok(list)
}

fn blocks(xml: &mut Xml<'_>, most: usize) -> Result<Vec<Block>, Malformed> {
    let mut blocks = Vec::new();
    while let Some(element) = xml.child()? {
        match element {
            b"Block" if blocks.len() == most => {
                return Err(Malformed::new("it has more blocks than a blob can"));
            }
            b"Block" => blocks.push(block(xml)?),
            _ => xml.skip()?,
        }
    }
    Ok(blocks)
}

fn block(xml: &mut Xml<'_>) -> Result<Block, Malformed> {
    let (mut id, mut size) = (None, None);
    while let Some(element) = xml.child()? {
        match element {
            b"Name" => id = xml.text()?.parse().ok(),
            b"Size" => size = xml.text()?.parse().ok(),
            _ => xml.skip()?,
        }
    }
    match (id, size) {
        (Some(id), Some(size)) => Ok(Block { id, size }),
        _ => Err(Malformed::new("a block has no Name in base64 or no Size")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_in_its_order() {
        let id = BlockId::numbered;
        let list = [BlockListEntry::from(id(2)), BlockListEntry::Committed(id(1))];
        let body = write(&[&list[..], &[BlockListEntry::Uncommitted(id(3))]].concat());
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>\
            <Latest>MDAwMDAwMDAwMg==</Latest><Committed>MDAwMDAwMDAwMQ==</Committed>\
            <Uncommitted>MDAwMDAwMDAwMw==</Uncommitted></BlockList>";
        assert_eq!(body, expected);
    }

    #[test]
    fn both_lists_are_read() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>
            <CommittedBlocks><Block><Name>QQ==</Name><Size>4194304</Size><New/></Block>
            <Block><Size>1</Size><Name>Qg==</Name></Block></CommittedBlocks>
            <UncommittedBlocks/></BlockList>";
        let list = parse(body.as_bytes()).expect("well formed");
        let sizes: Vec<_> =
            list.committed.iter().map(|b| (b.id.as_bytes().to_vec(), b.size)).collect();
        assert_eq!(sizes, [(b"A".to_vec(), 4_194_304), (b"B".to_vec(), 1)]);
        assert!(list.uncommitted.is_empty());
        for bad in
            ["<Block><Name>QQ==</Name></Block>", "<Block><Name>!</Name><Size>1</Size></Block>"]
        {
            let body = format!("<BlockList><CommittedBlocks>{bad}</CommittedBlocks></BlockList>");
            assert!(parse(body.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_of_more_blocks_than_a_blob_can_have_is_refused() {
        let list = |kind: &str, blocks: usize| {
            let blocks = "<Block><Name>QQ==</Name><Size>1</Size></Block>".repeat(blocks);
            parse(format!("<BlockList><{kind}>{blocks}</{kind}></BlockList>").as_bytes())
        };
        for (kind, most) in [("CommittedBlocks", 50_000), ("UncommittedBlocks", 100_000)] {
            assert!(list(kind, most).is_ok(), "{kind}");
            let error = list(kind, most + 1).expect_err(kind).to_string();
            assert_eq!(error, "it has more blocks than a blob can");
        }
    }

    #[test]
    fn an_id_is_1_to_64_bytes_and_travels_in_base64() {
        for (text, rule) in [("", "1 to 64 bytes"), ("?", "base64")] {
            let error = text.parse::<BlockId>().expect_err(text).to_string();
            assert!(error.starts_with("block id: ") && error.contains(rule), "{error}");
        }
        assert!(BlockId::new([7; 65]).is_err());
        let id = BlockId::new([b'7'; 64]).expect("legal");
        assert_eq!(id.to_string().parse::<BlockId>().expect("base64"), id);
        let json = serde_json::to_string(&id).expect("serializes");
        assert_eq!(serde_json::from_str::<BlockId>(&json).expect("reads back"), id);
    }

    #[test]
    fn an_id_that_may_be_an_account_key_travels_but_is_not_shown() {
        let id = BlockId::new([0xa7; 64]).expect("legal");
        assert!(id.to_base64().starts_with("p6en"));
        assert_eq!(format!("{id} {id:?}"), "REDACTED BlockId(REDACTED)");
        let error = serde_json::to_string(&id).expect_err("refused").to_string();
        assert!(error.contains("looks like an account key"), "{error}");
    }
}
