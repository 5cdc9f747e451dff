use proptest::prelude::*;

use super::*;
use crate::models::address::{BlobUrl, parse_container_url};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any URL is read, or refused with words; a blob's URL that is made from its parts is read as
    /// them.
    #[test]
    fn any_url_is_read_or_refused(
        host in "(acct\\.blob\\.core\\.windows\\.net|[a-z.-]{0,20}|127\\.0\\.0\\.1|\\[::1\\])(:(10000|[0-9]{1,5}))?",
        path in "(vhds/|acct/vhds/|\\$root/)?(%2E|%5C|%2F|[ab./\\\\%$]){0,12}",
        query in "(\\?[a-z=&%]{0,20}(snapshot=|sr=c|sig=)?[a-z0-9]{0,4})?",
        named in proptest::option::of("acct|[a-z]{1,4}"),
    ) {
        let Ok(url) = format!("https://{host}/{path}{query}").parse::<Url>() else { return Ok(()) };
        let named = named.as_deref();
        let _ = (Endpoint::parse(url.clone(), named), guess_account(&url), server(&url));
        let _ = parse_container_url(&url, named);
        if let Ok(parts) = BlobUrl::parse("URL", &url, named) {
            let made = parts.endpoint.stored_blob_url(&parts.container, &parts.blob);
            let made = made.expect("it was read from a URL");
            let again = BlobUrl::behind(&parts.endpoint, &made).expect("behind its own endpoint");
            let again = again.expect("a blob");
            prop_assert_eq!((again.container, again.blob), (parts.container, parts.blob));
        }
    }
}

fn parse(url: &str, named: Option<&str>) -> Result<Endpoint> {
    Endpoint::parse(url.parse().expect("a URL"), named).map(|(endpoint, _)| endpoint)
}

#[test]
fn the_account_is_found_in_host_or_path() {
    let cases = [
        ("https://acct.blob.core.windows.net", Some("acct")),
        ("https://acct-secondary.blob.core.windows.net", Some("acct")),
        ("https://acct-secondary-ipv6.blob.core.windows.net", Some("acct")),
        ("https://acct.z01.blob.storage.azure.net", Some("acct")),
        ("https://acct.privatelink.blob.core.windows.net", Some("acct")),
        ("https://acct.blob.local.azurestack.external", Some("acct")),
        ("http://127.0.0.1:10000/acct", Some("acct")),
        ("http://[::1]:9/acct/", Some("acct")),
        ("http://azurite:10000/acct", Some("acct")),
        ("http://acct.localhost:10000", Some("acct")),
        ("http://host.docker.internal:10000/acct", Some("acct")),
        ("http://host.docker.internal:10010/acct", Some("acct")),
        ("https://backup.example.com", None),
        ("https://gateway.example.com/base/of/all", None),
        ("http://10.0.0.5", None),
    ];
    for (url, account) in cases {
        assert_eq!(parse(url, None).expect(url).account(), account, "{url}");
    }
}

#[test]
fn the_account_that_the_user_names_wins_over_the_host() {
    for (url, secondary) in [
        ("https://files.blob.contoso.example", None),
        ("https://acct-files.blob.contoso.example", None),
        ("https://acctfiles.blob.contoso.example", None),
        ("https://files.contoso.example", None),
        ("https://gateway.example/base", None),
        ("https://gateway.example/base/acct", Some("https://gateway.example/base/acct-secondary")),
        ("http://10.0.0.5", None),
        ("http://10.0.0.5/base/acct", Some("http://10.0.0.5/base/acct-secondary")),
        (
            "http://azurite.blob.svc.cluster.local:10000/acct",
            Some("http://azurite.blob.svc.cluster.local:10000/acct-secondary"),
        ),
        (
            "http://azurite.localhost:10000/acct",
            Some("http://azurite.localhost:10000/acct-secondary"),
        ),
        (
            "http://host.docker.internal:10010/acct",
            Some("http://host.docker.internal:10010/acct-secondary"),
        ),
        (
            "https://acct.blob.core.windows.net",
            Some("https://acct-secondary.blob.core.windows.net"),
        ),
        ("https://acct-secondary.blob.core.windows.net", None),
        ("http://127.0.0.1:10000/acct-secondary", None),
    ] {
        let endpoint = parse(url, Some("acct")).expect(url);
        assert_eq!(endpoint.account(), Some("acct"), "{url}");
        assert_eq!(endpoint.secondary().as_deref(), secondary, "{url}");
    }
}

#[test]
fn one_address_is_one_account_unless_two_are_named() {
    let at = |url: &str, named| parse(url, named).expect(url);
    let custom = "https://files.contoso.example";
    for (one, other, same) in [
        (at(custom, None), at(custom, None), true),
        (at(custom, Some("acct")), at(custom, None), true),
        (at(custom, Some("acct")), at(custom, Some("acct")), true),
        (at(custom, Some("acct")), at(custom, Some("other")), false),
        (at(custom, Some("acct")), at("https://acct.blob.core.windows.net", None), false),
        (at("http://127.0.0.1:10000/a", None), at("http://127.0.0.1:10000/b", None), false),
    ] {
        assert_eq!(one.is_same_account(&other), same, "{one:?} {other:?}");
        assert_eq!(other.is_same_account(&one), same, "{other:?} {one:?}");
    }
}

#[test]
fn a_url_that_names_another_account_for_certain_is_refused() {
    for url in [
        "https://other.blob.core.windows.net",
        "https://other.blob.core.chinacloudapi.cn",
        "http://127.0.0.1:10000/other",
    ] {
        let error = parse(url, Some("acct")).expect_err(url).to_string();
        assert!(error.contains("another account") && error.contains("\"acct\""), "{error}");
    }
}

#[test]
fn the_url_of_a_container_or_blob_is_no_endpoint() {
    for (url, named) in [
        ("https://acct.blob.core.windows.net/backups?sr=c&sig=SECRET", None),
        ("https://acct.blob.core.windows.net/backups", Some("acct")),
        ("https://acct.blob.core.windows.net/backups/a/b?sr=b&sig=SECRET", None),
        ("https://acct.blob.contoso.example/backups", None),
        ("http://acct.localhost:10000/backups", None),
        ("http://127.0.0.1:10000/acct/backups", None),
        ("http://127.0.0.1:10000/acct/backups/disk", Some("acct")),
        ("http://azurite.blob.svc.cluster.local:10000/acct/backups", Some("acct")),
        ("https://files.contoso.example/acct/backups", Some("acct")),
        ("https://gateway.contoso.example/base/acct/backups", Some("acct")),
    ] {
        let error = parse(url, named).expect_err(url).to_string();
        assert!(error.contains("BlobContainerClient::new"), "{error}");
        assert!(!error.contains("SECRET"), "{error}");
        assert_eq!(error.contains("account_name"), !url.contains("windows.net"), "{error}");
    }
}

#[test]
fn a_path_of_which_nobody_says_what_it_is_takes_no_sas_of_a_container() {
    let sas = "sv=2026-04-06&sr=c&sp=rw&sig=SECRET";
    let check =
        |url: &str, named: Option<&str>, sas: &str| parse(url, named).expect(url).check_beside(sas);
    let url = "https://files.contoso.example/backups";
    let error = check(url, None, sas).expect_err("a container").to_string();
    assert!(error.contains("BlobContainerClient::new"), "{error}");
    check(url, Some("acct"), sas).expect("the user says that it is the service's");
    check(url, None, "sv=2026-04-06&ss=b&srt=sco&sp=rw&sig=x").expect("a SAS of the account");
    check("https://files.contoso.example", None, sas).expect("no path");
    check("http://127.0.0.1:10000/acct", None, sas).expect("the account's path");
}

#[test]
fn only_plain_http_urls_are_endpoints_and_passwords_are_not_shown() {
    for (url, rule) in [
        ("ftp://a.blob.core.windows.net", "http or https"),
        ("https://a.blob.core.windows.net/#x", "fragment"),
        ("https://user:SECRET@a.blob.core.windows.net", "user name or password"),
    ] {
        let error = parse(url, None).expect_err(url).to_string();
        assert!(error.contains(rule) && !error.contains("SECRET"), "{error}");
    }
}

#[test]
fn illegal_names_are_refused_by_name_and_rule() {
    let endpoint = parse("https://a.blob.core.windows.net", None).expect("an endpoint");
    for name in ["", "ab", "Abc", "a--b", "-abc", "abc-", "a_b", "$Other", &"a".repeat(64)] {
        let error = endpoint.container_url(name).expect_err(name).to_string();
        assert!(error.starts_with("container name: ") && error.contains("3 to 63"), "{error}");
    }
    let error = endpoint.blob_url("abc", "disk.").expect_err("a dot").to_string();
    assert!(error.starts_with("blob name: \"disk.\" must not end with a dot"), "{error}");
    let listed = endpoint.stored_blob_url("abc", "a./b\\c.").expect("as it was listed");
    assert_eq!(listed.path(), "/abc/a./b%5Cc.");
}

#[test]
fn managed_disks_are_known_by_their_hosts() {
    for (url, is_disk) in [
        ("https://md-abc.z01.blob.storage.azure.net/x/abcd?sig=x", true),
        ("https://md-impexp-abc.z5.blob.storage.azure.net/x/abcd", true),
        ("https://md-hdd-abc.blob.core.windows.net/x/abcd", true),
        ("https://md-abc.blob.core.chinacloudapi.cn/x/abcd", true),
        ("https://mdabc.blob.core.windows.net/x/abcd", false),
        ("https://md-abc.example.com/x/abcd", false),
    ] {
        assert_eq!(is_managed_disk(&url.parse().expect("a URL")), is_disk, "{url}");
    }
}

#[test]
fn the_account_of_a_bare_key_is_guessed() {
    for (url, account) in [
        ("https://acct-ipv6.blob.core.windows.net", Some("acct")),
        ("http://127.0.0.1:10000/acct-secondary", Some("acct")),
        ("https://azurite.example.com/acct", Some("acct")),
        ("https://acct.example.com", Some("acct")),
        ("http://127.0.0.1:10000", None),
    ] {
        let guess = guess_account(&url.parse().expect("a URL")).expect(url);
        assert_eq!(guess.as_deref(), account, "{url}");
    }
}
