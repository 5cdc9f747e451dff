//! Customer-provided keys and encryption scopes.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::kit::{Ask, HOST, Kit, plain, source_sas};

const DENIED: &str = "BlobUsesCustomerSpecifiedEncryption";

impl Ask<'_> {
    /// Encrypts with the key whose bytes all have this value.
    pub(super) fn key(self, byte: u8) -> Self {
        self.key_named("x-ms-encryption", byte)
    }

    pub(super) fn source_key(self, byte: u8) -> Self {
        self.key_named("x-ms-source-encryption", byte)
    }

    fn key_named(self, prefix: &str, byte: u8) -> Self {
        self.header(&format!("{prefix}-key"), &STANDARD.encode([byte; 32]))
            .header(&format!("{prefix}-key-sha256"), &hash(byte))
            .header(&format!("{prefix}-algorithm"), "AES256")
    }
}

fn hash(byte: u8) -> String {
    STANDARD.encode(Sha256::digest([byte; 32]))
}

/// `/src/a`, a block blob encrypted with key 1, and `/src/open`, which is not.
fn stocked() -> Kit {
    let kit = plain();
    kit.container("src");
    let put = kit.ask("PUT", "/src/a").header("x-ms-blob-type", "BlockBlob").body(b"secret");
    let put = put.header("x-ms-meta-k", "v").key(1).send().expect(201);
    assert_eq!(put.header("x-ms-encryption-key-sha256"), hash(1));
    assert_eq!(put.header("x-ms-request-server-encrypted"), "true");
    kit.block_blob("/src/open", b"open");
    kit
}

#[test]
fn only_its_own_key_opens_a_blob() {
    let kit = stocked();
    for (method, target) in [("GET", "/src/a"), ("GET", "/src/a?comp=metadata")] {
        kit.ask(method, target).send().refused(409, DENIED);
        kit.ask(method, target).key(2).send().refused(409, DENIED);
        kit.ask(method, target).key(1).send().expect(200);
    }
    kit.ask("GET", "/src/open").key(1).send().refused(409, DENIED);
    let read = kit.ask("GET", "/src/a").key(1).send().expect(200);
    assert_eq!((read.text(), read.header("x-ms-encryption-key-sha256")), ("secret", &*hash(1)));
    let head = kit.ask("HEAD", "/src/a").key(1).send().expect(200);
    assert_eq!(head.header("x-ms-server-encrypted"), "true");
    assert_eq!(head.header("x-ms-encryption-key-sha256"), hash(1));

    let snapshot = kit.ask("PUT", "/src/a?comp=snapshot");
    snapshot.send().refused(409, DENIED);
    let snapshot = kit.ask("PUT", "/src/a?comp=snapshot").key(1).send().expect(201);
    let target = format!("/src/a?snapshot={}", snapshot.header("x-ms-snapshot"));
    kit.ask("GET", &target).send().refused(409, DENIED);
    kit.ask("GET", &target).key(1).send().expect(200);
    // Requests that return no content need no key.
    kit.ask("DELETE", &target).send().expect(202);
}

#[test]
fn a_part_is_written_with_the_key_of_the_whole() {
    let kit = stocked();
    let new = |path: &str, kind: &str| {
        let new = kit.ask("PUT", path).header("x-ms-blob-type", kind);
        new.header("x-ms-blob-content-length", "512").key(1).send().expect(201);
    };
    new("/src/disk", "PageBlob");
    new("/src/log", "AppendBlob");
    let page = || {
        let page = kit.ask("PUT", "/src/disk?comp=page").header("x-ms-page-write", "update");
        page.header("x-ms-range", "bytes=0-511").body(&[7; 512])
    };
    let append = || kit.ask("PUT", "/src/log?comp=appendblock").body(b"x");
    let metadata = || kit.ask("PUT", "/src/a?comp=metadata").header("x-ms-meta-k", "w");
    type Write<'a> = Box<dyn Fn() -> Ask<'a> + 'a>;
    let writes: [(Write<'_>, u16); 3] =
        [(Box::new(page), 201), (Box::new(append), 201), (Box::new(metadata), 200)];
    for (ask, status) in writes {
        ask().send().refused(409, DENIED);
        ask().key(2).send().refused(409, DENIED);
        let done = ask().key(1).send().expect(status);
        assert_eq!(done.header("x-ms-encryption-key-sha256"), hash(1));
    }

    let block =
        |id: &str| kit.ask("PUT", &format!("/src/blocks?comp=block&blockid={id}")).body(b"x");
    block("MDE%3D").key(1).send().expect(201);
    block("MDI%3D").key(2).send().refused(409, DENIED);
    let list = b"<BlockList><Latest>MDE=</Latest></BlockList>";
    let commit = || kit.ask("PUT", "/src/blocks?comp=blocklist").body(list);
    commit().send().refused(409, DENIED);
    commit().key(1).send().expect(201);
    kit.ask("GET", "/src/blocks").send().refused(409, DENIED);
}

#[test]
fn a_key_comes_whole_or_not_at_all() {
    let kit = stocked();
    let get = || kit.ask("GET", "/src/a");
    let (key, algorithm) = (STANDARD.encode([1; 32]), "x-ms-encryption-algorithm");
    let whole = |key: &str, hash: &str, kind: &str| {
        let ask = get().header("x-ms-encryption-key", key);
        ask.header("x-ms-encryption-key-sha256", hash).header(algorithm, kind).send()
    };
    whole(&key, &hash(1), "AES256").expect(200);
    whole(&key, &hash(2), "AES256").refused(400, "InvalidHeaderValue");
    whole("c2hvcnQ=", &hash(1), "AES256").refused(400, "InvalidHeaderValue");
    whole(&key, &hash(1), "AES128").refused(400, "InvalidHeaderValue");
    get().header("x-ms-encryption-key", &key).send().refused(400, "MissingRequiredHeader");
    get().header(algorithm, "AES256").send().refused(400, "MissingRequiredHeader");
    let both = kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob").key(1);
    both.header("x-ms-encryption-scope", "one").send().refused(400, "InvalidHeaderValue");
}

#[test]
fn a_scope_is_told_of_and_hides_nothing() {
    let kit = stocked();
    let put = kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob");
    let put = put.header("x-ms-encryption-scope", "one").body(b"x").send().expect(201);
    assert_eq!(put.header("x-ms-encryption-scope"), "one");
    let get = kit.ask("GET", "/src/b").send().expect(200);
    assert_eq!((get.text(), get.header("x-ms-encryption-scope")), ("x", "one"));

    let list = kit.ask("GET", "/src?restype=container&comp=list&include=metadata").send();
    let list = list.expect(200);
    assert!(list.text().contains("<EncryptionScope>one</EncryptionScope>"), "{}", list.text());
    let key = format!("<CustomerProvidedKeySha256>{}</CustomerProvidedKeySha256>", hash(1));
    assert!(list.text().contains(&key), "{}", list.text());
    assert!(list.text().contains("<Metadata Encrypted=\"true\""), "{}", list.text());
    assert!(!list.text().contains("<k>v</k>"), "{}", list.text());
}

#[test]
fn a_copy_reads_an_encrypted_source_only_where_its_key_can_be_given() {
    let kit = stocked();
    let url = format!("{}/devstoreaccount1/src/a?{}", HOST, source_sas("/src/a"));
    let refused = kit.copy("/src/a", "/src/b").send().refused(409, "CannotVerifyCopySource");
    assert_eq!(refused.header("x-ms-copy-source-error-code"), DENIED);
    kit.copy("/src/open", "/src/b").key(1).send().refused(400, "UnsupportedHeader");
    let scoped = kit.copy("/src/open", "/src/b").header("x-ms-encryption-scope", "one");
    scoped.send().refused(400, "UnsupportedHeader");
    let put = || {
        let put = kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob");
        put.header("x-ms-copy-source", &url)
    };
    put().send().refused(409, "CannotVerifyCopySource");
    put().source_key(2).send().refused(409, "CannotVerifyCopySource");
    // Encrypted with one key, then with another.
    put().source_key(1).key(3).send().expect(201);
    assert_eq!(kit.ask("GET", "/src/b").key(3).send().expect(200).text(), "secret");

    let sync = |path: &str| {
        let url = format!("{}/devstoreaccount1{path}?{}", HOST, source_sas(path));
        kit.ask("PUT", "/src/c")
            .header("x-ms-requires-sync", "true")
            .header("x-ms-copy-source", &url)
    };
    let scoped = sync("/src/open").header("x-ms-encryption-scope", "one").send().expect(202);
    assert_eq!(scoped.header("x-ms-encryption-scope"), "one");
    sync("/src/open").key(1).send().refused(400, "UnsupportedHeader");
}

#[test]
fn committed_blocks_are_not_decrypted_by_a_list_without_their_key() {
    let kit = plain();
    kit.container("src");
    let block =
        |id: &str| kit.ask("PUT", &format!("/src/b?comp=block&blockid={id}")).body(b"secret");
    let commit = |entry: &str| {
        let list = format!("<BlockList>{entry}</BlockList>");
        kit.ask("PUT", "/src/b?comp=blocklist").body(list.as_bytes())
    };
    block("MDE%3D").key(1).send().expect(201);
    commit("<Latest>MDE=</Latest>").key(1).send().expect(201);
    for entry in ["<Committed>MDE=</Committed>", "<Latest>MDE=</Latest>"] {
        commit(entry).send().refused(409, DENIED);
        commit(entry).key(2).send().refused(409, DENIED);
        commit(entry).header("x-ms-encryption-scope", "one").send().refused(409, DENIED);
        kit.ask("GET", "/src/b").send().refused(409, DENIED);
    }
    // New blocks may use another key, but not be mixed with the old ones.
    block("MDI%3D").key(2).send().expect(201);
    let mixed = "<Committed>MDE=</Committed><Uncommitted>MDI=</Uncommitted>";
    commit(mixed).key(1).send().refused(409, DENIED);
    commit(mixed).key(2).send().refused(409, DENIED);
    commit("<Uncommitted>MDI=</Uncommitted>").key(2).send().expect(201);
    kit.ask("GET", "/src/b").key(2).send().expect(200);
}

#[test]
fn a_part_is_written_in_the_scope_of_the_whole() {
    const SCOPE: &str = "x-ms-encryption-scope";
    let kit = stocked();
    for (name, scope) in [("plain", None), ("one", Some("one"))] {
        let new = |path: &str, kind: &str| {
            let new = kit.ask("PUT", path).header("x-ms-blob-type", kind);
            let new = new.header("x-ms-blob-content-length", "512");
            scope.into_iter().fold(new, |new, scope| new.header(SCOPE, scope)).send().expect(201);
        };
        let [disk, log, blocks] =
            ["disk", "log", "blocks"].map(|kind| format!("/src/{name}-{kind}"));
        new(&disk, "PageBlob");
        new(&log, "AppendBlob");
        let block = kit.ask("PUT", &format!("{blocks}?comp=block&blockid=QQ==")).body(b"x");
        let block = scope.into_iter().fold(block, |block, scope| block.header(SCOPE, scope));
        block.send().expect(201);
        let page = || {
            let page = kit.ask("PUT", &format!("{disk}?comp=page"));
            let page = page.header("x-ms-page-write", "update");
            page.header("x-ms-range", "bytes=0-511").body(&[7; 512])
        };
        let append = || kit.ask("PUT", &format!("{log}?comp=appendblock")).body(b"x");
        let snapshot = || kit.ask("PUT", &format!("{disk}?comp=snapshot"));
        let commit = || {
            let list = b"<BlockList><Latest>QQ==</Latest></BlockList>";
            kit.ask("PUT", &format!("{blocks}?comp=blocklist")).body(list)
        };
        type Write<'a> = Box<dyn Fn() -> Ask<'a> + 'a>;
        let writes: [Write<'_>; 5] = [
            Box::new(page),
            Box::new(append),
            Box::new(snapshot),
            Box::new(commit),
            // Again, from the committed blocks.
            Box::new(commit),
        ];
        for ask in writes {
            ask().header(SCOPE, "other").send().refused(409, DENIED);
            let done = ask().send().expect(201);
            assert_eq!(done.header(SCOPE), scope.unwrap_or_default());
            if let Some(scope) = scope {
                ask().header(SCOPE, scope).send().expect(201);
            }
        }
    }
}
