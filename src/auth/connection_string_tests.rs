use super::*;

const KEY: &str = "U0VDUkVULUtFWQ==";

/// A valid connection string: account, endpoint, secondary, credential.
type Case = (&'static str, Option<&'static str>, &'static str, Option<&'static str>, &'static str);

#[test]
fn every_form_is_read() {
    let cases: [Case; 24] = [
        // The portal's form.
        (
            "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;EndpointSuffix=core.windows.net",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "key",
        ),
        // Protocol and suffix have defaults, in any order, with empty segments and white space.
        (
            ";; AccountKey = U0VDUkVULUtFWQ== ;AccountName=acct;;\n",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "key",
        ),
        // Keys and words in any case.
        (
            "ACCOUNTNAME=acct;accountkey=U0VDUkVULUtFWQ==;defaultendpointsprotocol=HTTP",
            Some("acct"),
            "http://acct.blob.core.windows.net/",
            Some("http://acct-secondary.blob.core.windows.net/"),
            "key",
        ),
        (
            "AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;EndpointSuffix=core.chinacloudapi.cn",
            Some("acct"),
            "https://acct.blob.core.chinacloudapi.cn/",
            Some("https://acct-secondary.blob.core.chinacloudapi.cn/"),
            "key",
        ),
        // A SAS in place of the key.
        (
            "AccountName=acct;SharedAccessSignature=sv=2026-04-06&sp=r&sig=SECRET%3D",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "sv=2026-04-06&sp=r&sig=SECRET%3D",
        ),
        (
            "AccountName=acct;SharedAccessSignature=?sp=r&sig=SECRET",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "sp=r&sig=SECRET",
        ),
        // Explicit endpoints win over built ones, and have no secondary by default.
        (
            "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;BlobEndpoint=https://blobs.example.com",
            Some("acct"),
            "https://blobs.example.com/",
            None,
            "key",
        ),
        (
            "AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;BlobEndpoint=https://p.example.com/;BlobSecondaryEndpoint=https://s.example.com/",
            Some("acct"),
            "https://p.example.com/",
            Some("https://s.example.com/"),
            "key",
        ),
        (
            "AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;BlobEndpoint=https://p.example.com;EndpointSuffix=core.windows.net",
            Some("acct"),
            "https://p.example.com/",
            None,
            "key",
        ),
        // The emulator's long form, with the endpoints of other services.
        (
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=U0VDUkVULUtFWQ==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;FileEndpoint=x;TableSecondaryEndpoint=x;QueueSecondaryEndpoint=x;FileSecondaryEndpoint=x",
            Some("devstoreaccount1"),
            "http://127.0.0.1:10000/devstoreaccount1",
            None,
            "key",
        ),
        // The account from the endpoint, by host and by path.
        (
            "BlobEndpoint=https://acct.blob.core.windows.net;AccountKey=U0VDUkVULUtFWQ==",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            None,
            "key",
        ),
        (
            "BlobEndpoint=https://acct-ipv6.blob.core.windows.net;AccountKey=U0VDUkVULUtFWQ==",
            Some("acct"),
            "https://acct-ipv6.blob.core.windows.net/",
            None,
            "key",
        ),
        (
            "BlobEndpoint=https://acct-secondary-dualstack.blob.core.windows.net;AccountKey=U0VDUkVULUtFWQ==",
            Some("acct"),
            "https://acct-secondary-dualstack.blob.core.windows.net/",
            None,
            "key",
        ),
        (
            "BlobEndpoint=http://localhost:10000/acct/;AccountKey=U0VDUkVULUtFWQ==",
            Some("acct"),
            "http://localhost:10000/acct",
            None,
            "key",
        ),
        (
            "BlobEndpoint=http://127.0.0.1:10000/acct-secondary;AccountKey=U0VDUkVULUtFWQ==",
            Some("acct"),
            "http://127.0.0.1:10000/acct-secondary",
            None,
            "key",
        ),
        // A SAS with an endpoint, with and without the account's name, and as the endpoint's query.
        (
            "BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sp=r&sig=SECRET",
            None,
            "https://acct.blob.core.windows.net/",
            None,
            "sp=r&sig=SECRET",
        ),
        (
            "AccountName=other;BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sp=r&sig=SECRET",
            Some("other"),
            "https://acct.blob.core.windows.net/",
            None,
            "sp=r&sig=SECRET",
        ),
        (
            "BlobEndpoint=https://acct.blob.core.windows.net/?sp=r&sig=SECRET;BlobSecondaryEndpoint=https://acct-secondary.blob.core.windows.net/?sp=r&sig=SECRET",
            None,
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "sp=r&sig=SECRET",
        ),
        // No credential at all.
        (
            "BlobEndpoint=https://acct.blob.core.windows.net",
            None,
            "https://acct.blob.core.windows.net/",
            None,
            "anonymous",
        ),
        ("BlobEndpoint=http://127.0.0.1:10000", None, "http://127.0.0.1:10000/", None, "anonymous"),
        // The emulator's short form.
        (
            "UseDevelopmentStorage=true",
            Some("devstoreaccount1"),
            "http://127.0.0.1:10000/devstoreaccount1",
            Some("http://127.0.0.1:10000/devstoreaccount1-secondary"),
            "key",
        ),
        (
            "usedevelopmentstorage=True;",
            Some("devstoreaccount1"),
            "http://127.0.0.1:10000/devstoreaccount1",
            Some("http://127.0.0.1:10000/devstoreaccount1-secondary"),
            "key",
        ),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=https://proxy.example:8888/x",
            Some("devstoreaccount1"),
            "https://proxy.example:10000/devstoreaccount1",
            Some("https://proxy.example:10000/devstoreaccount1-secondary"),
            "key",
        ),
        // The name of the key is ignored.
        (
            "AccountName=acct;AccountKey=U0VDUkVULUtFWQ==;AccountKeyName=key1",
            Some("acct"),
            "https://acct.blob.core.windows.net/",
            Some("https://acct-secondary.blob.core.windows.net/"),
            "key",
        ),
    ];
    for (text, account, primary, secondary, auth) in cases {
        let read = ConnectionString::parse(text).expect(text);
        assert_eq!(read.account.as_deref(), account, "{text}");
        assert_eq!(read.blob_endpoint.as_str(), primary, "{text}");
        assert_eq!(read.blob_secondary.as_ref().map(Url::as_str), secondary, "{text}");
        match &read.auth {
            ConnectionAuth::Key(key) => {
                assert_eq!((auth, Some(key.account())), ("key", account), "{text}");
            }
            ConnectionAuth::Sas(sas) => assert_eq!(sas.expose(), auth, "{text}"),
            ConnectionAuth::Anonymous => assert_eq!(auth, "anonymous", "{text}"),
        }
        let shown = format!("{read:?}");
        assert!(!shown.contains("SECRET") && !shown.contains(KEY), "{shown}");
    }
}

#[test]
fn every_fault_is_named_and_no_secret_is_shown() {
    let cases = [
        ("", "connection string: \"\" must not be empty"),
        (" ; ;", "connection string: \"\" must not be empty"),
        ("AccountName", "connection string: \"AccountName\" has no =; it must be key=value pairs"),
        (
            "AccountName=a;AccountName=b;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AccountName\" appears twice",
        ),
        (
            "AccountName=a;accountname=a;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AccountName\" appears twice",
        ),
        (
            "QueueEndpoint=x;QueueEndpoint=x;AccountName=a;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"QueueEndpoint\" appears twice",
        ),
        (
            "AccountName=a;AcountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AcountKey\" is not a connection string key",
        ),
        // A bare account key, or a bare SAS, is not shown in the error.
        ("U0VDUkVULUtFWQ==", "connection string: (value not shown) is not a connection string key"),
        (
            "SECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRET==",
            "connection string: (value not shown)",
        ),
        ("SECRET/+0", "connection string: (value not shown) has no ="),
        (
            "AccountName=;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AccountName=\" must not be empty",
        ),
        (
            "AccountName=a;AccountKey=",
            "connection string: (value not shown) AccountKey must not be empty",
        ),
        (
            "AccountName=a",
            "connection string: \"AccountName=a\" needs AccountKey or SharedAccessSignature",
        ),
        (
            "AccountName=a;BlobEndpoint=https://a.blob.core.windows.net",
            "connection string: \"AccountName=a\" needs AccountKey or SharedAccessSignature",
        ),
        (
            "AccountKey=U0VDUkVULUtFWQ==",
            "connection string: (value not shown) must have AccountName or BlobEndpoint",
        ),
        (
            "SharedAccessSignature=sp=r&sig=SECRET",
            "connection string: (value not shown) must have AccountName or BlobEndpoint",
        ),
        (
            "DefaultEndpointsProtocol=https",
            "connection string: (value not shown) must have AccountName or BlobEndpoint",
        ),
        (
            "QueueEndpoint=https://a.queue.core.windows.net",
            "connection string: (value not shown) must have AccountName or BlobEndpoint",
        ),
        (
            "AccountName=a;AccountKey=U0VDUkVULUtFWQ==;SharedAccessSignature=sig=SECRET",
            "connection string: (value not shown) SharedAccessSignature must not be combined with AccountKey",
        ),
        (
            "BlobEndpoint=https://a.b.c;AccountKey=U0VDUkVULUtFWQ==;SharedAccessSignature=sig=SECRET",
            "connection string: (value not shown) SharedAccessSignature must not be combined with AccountKey",
        ),
        (
            "AccountName=a;AccountKeyName=k;SharedAccessSignature=sig=SECRET",
            "connection string: (value not shown) AccountKeyName needs AccountKey",
        ),
        ("AccountName=a;AccountKey=SECRET!", "account key: (value not shown) must be base64"),
        ("AccountName=a/b;AccountKey=U0VDUkVULUtFWQ==", "account name: \"a/b\" must be"),
        (
            "AccountName=a_b;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AccountName=a_b\" must be letters",
        ),
        (
            "AccountName=a.b;SharedAccessSignature=sig=SECRET",
            "connection string: \"AccountName=a.b\" must be letters",
        ),
        (
            "AccountName=a;SharedAccessSignature=sp=SECRET",
            "SAS token: (value not shown) must contain the signature",
        ),
        (
            "AccountName=a;AccountKey=U0VDUkVULUtFWQ==;DefaultEndpointsProtocol=ftp",
            "connection string: \"DefaultEndpointsProtocol=ftp\" must be http or https",
        ),
        (
            "AccountName=a;AccountKey=U0VDUkVULUtFWQ==;EndpointSuffix=.core.windows.net",
            "connection string: \"EndpointSuffix=.core.windows.net\" must be a DNS name",
        ),
        (
            "AccountName=a;AccountKey=U0VDUkVULUtFWQ==;EndpointSuffix=core.windows.net/x",
            "connection string: \"EndpointSuffix=core.windows.net/x\" must be a DNS name",
        ),
        (
            "AccountName=a;AccountKey=U0VDUkVULUtFWQ==;BlobSecondaryEndpoint=https://s.example",
            "connection string: \"BlobSecondaryEndpoint=https://s.example\" needs BlobEndpoint",
        ),
        (
            "BlobEndpoint=https://a.b.c;DefaultEndpointsProtocol=https",
            "connection string: \"DefaultEndpointsProtocol=https\" needs AccountName",
        ),
        (
            "BlobEndpoint=https://a.b.c;EndpointSuffix=b.c",
            "connection string: \"EndpointSuffix=b.c\" needs AccountName",
        ),
        (
            "BlobEndpoint=acct.blob.core.windows.net",
            "connection string: \"BlobEndpoint=acct.blob.core.windows.net\" must be an absolute",
        ),
        (
            "BlobEndpoint=ftp://a.b.c",
            "connection string: \"BlobEndpoint=ftp://a.b.c\" must be an absolute http",
        ),
        (
            "BlobEndpoint=https://u:SECRET@a.b.c",
            "connection string: (value not shown) BlobEndpoint must be an absolute",
        ),
        (
            "BlobEndpoint=https://a.b.c/#x",
            "connection string: \"BlobEndpoint=https://a.b.c/#x\" must be an absolute",
        ),
        (
            "BlobEndpoint=https://a.b.c?x=1",
            "connection string: \"BlobEndpoint=https://a.b.c?x=REDACTED\" must have no query other than a SAS",
        ),
        (
            "BlobEndpoint=https://a.b.c?sig=SECRET;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"BlobEndpoint=https://a.b.c?sig=REDACTED\" has a query, which must not be combined with",
        ),
        (
            "BlobEndpoint=https://a.b.c?sig=SECRET;SharedAccessSignature=sig=SECRET",
            "connection string: \"BlobEndpoint=https://a.b.c?sig=REDACTED\" has a query, which must not be combined with",
        ),
        (
            "BlobEndpoint=https://a.b.c;BlobSecondaryEndpoint=https://d.e.f?sig=SECRET",
            "connection string: \"BlobSecondaryEndpoint=https://d.e.f?sig=REDACTED\" must have the same SAS",
        ),
        (
            "BlobEndpoint=http://127.0.0.1:10000;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: (value not shown) AccountKey needs AccountName",
        ),
        (
            "UseDevelopmentStorage=false",
            "connection string: \"UseDevelopmentStorage=false\" must be true",
        ),
        (
            "UseDevelopmentStorage=true;AccountName=a",
            "connection string: \"AccountName\" must not be combined with UseDevelopmentStorage=true",
        ),
        (
            "UseDevelopmentStorage=true;AccountKey=U0VDUkVULUtFWQ==",
            "connection string: \"AccountKey\" must not be combined with UseDevelopmentStorage=true",
        ),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=proxy",
            "connection string: \"DevelopmentStorageProxyUri=proxy\" must be an absolute http or https URL",
        ),
        (
            "DevelopmentStorageProxyUri=http://proxy",
            "connection string: \"DevelopmentStorageProxyUri=http://proxy\" needs UseDevelopmentStorage=true",
        ),
    ];
    for (text, expected) in cases {
        let error = ConnectionString::parse(text).expect_err(text);
        assert!(matches!(error, Error::InvalidInput { .. }), "{text}");
        let shown = error.to_string();
        assert!(shown.starts_with(expected), "{text}\n{shown}\n{expected}");
        assert!(!shown.contains("SECRET") && !shown.contains("U0VDUkVU"), "{shown}");
    }
}

#[test]
fn the_emulators_key_is_the_well_known_one() {
    let short = ConnectionString::parse("UseDevelopmentStorage=true").expect("well formed");
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("vectors.json")).expect("JSON");
    let key = vectors["key"].as_str().expect("text");
    let ConnectionAuth::Key(short) = short.auth else { panic!("a key") };
    let known = SharedKey::new("devstoreaccount1", key).expect("well formed");
    assert_eq!(short.signing_key().sign(b"text"), known.signing_key().sign(b"text"));
}
