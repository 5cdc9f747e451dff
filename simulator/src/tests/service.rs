//! Account-wide features: service properties, account information, batches, the second key.

use bytes::Bytes;
use http::Request;

use super::kit::{Ask, HOST, Kit, kit, plain, sas, sign_with};
use crate::{DEFAULT_ACCOUNT, Op};

const PROPERTIES: &str = "/?restype=service&comp=properties";

fn set(kit: &Kit, parts: &str) -> super::kit::Reply {
    let body = format!("<StorageServiceProperties>{parts}</StorageServiceProperties>");
    kit.ask("PUT", PROPERTIES).body(body.as_bytes()).send()
}

#[test]
fn service_properties_are_kept_part_by_part() {
    let kit = plain();
    let get = || kit.ask("GET", PROPERTIES).send().expect(200).text().to_owned();
    assert!(get().contains("<Cors /><DeleteRetentionPolicy><Enabled>false</Enabled>"));
    let retention = "<DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days>\
                     </DeleteRetentionPolicy>";
    set(&kit, retention).expect(202);
    set(&kit, "<DefaultServiceVersion>2014-02-14</DefaultServiceVersion>").expect(202);
    assert!(get().contains(retention));
    assert!(get().ends_with("</DefaultServiceVersion></StorageServiceProperties>"));
    let cors = "<Cors><CorsRule><AllowedOrigins>www.xyz.com</AllowedOrigins>\
                <AllowedMethods>GET,PUT</AllowedMethods><AllowedHeaders>x-ms-a*,x-b\
                </AllowedHeaders>\
                <ExposedHeaders /><MaxAgeInSeconds>5</MaxAgeInSeconds></CorsRule></Cors>";
    set(&kit, cors).expect(202);
    assert!(get().contains(
        "<Cors><CorsRule><AllowedMethods>GET,PUT</AllowedMethods>\
         <AllowedOrigins>www.xyz.com</AllowedOrigins><AllowedHeaders>x-b,x-ms-a*</AllowedHeaders>\
         <ExposedHeaders /><MaxAgeInSeconds>5</MaxAgeInSeconds></CorsRule></Cors>"
    ));
    let other = kit.ask("GET", PROPERTIES).account(super::kit::OTHER.0).send().expect(200);
    assert!(!other.text().contains("xyz"));
}

#[test]
fn service_properties_that_cannot_be_are_refused() {
    let kit = plain();
    let rule = "<CorsRule><MaxAgeInSeconds>0</MaxAgeInSeconds></CorsRule>";
    for parts in [
        "<DeleteRetentionPolicy><Enabled>true</Enabled><Days>366</Days></DeleteRetentionPolicy>",
        "<DeleteRetentionPolicy><Enabled>true</Enabled></DeleteRetentionPolicy>",
        "<HourMetrics><RetentionPolicy><Enabled>true</Enabled><Days>0</Days></RetentionPolicy>\
         </HourMetrics>",
        &format!("<Cors>{}</Cors>", rule.repeat(6)),
        "<Novelty />",
    ] {
        set(&kit, parts).refused(400, "InvalidXmlDocument");
    }
}

#[test]
fn an_account_says_what_it_is_wherever_it_is_asked() {
    let kit = plain();
    for path in ["/", "/none", "/none/none"] {
        for method in ["GET", "HEAD"] {
            let information = kit.ask(method, &format!("{path}?restype=account&comp=properties"));
            let information = information.send().expect(200);
            assert_eq!(information.header("x-ms-sku-name"), "Standard_LRS");
            assert_eq!(information.header("x-ms-account-kind"), "StorageV2");
            assert_eq!(information.header("x-ms-is-hns-enabled"), "false");
        }
    }
}

#[test]
fn the_sas_of_a_container_or_a_blob_is_good_for_account_information() {
    let kit = plain();
    for (path, resource) in [("/src", "c"), ("/src/b", "b")] {
        let sas = sas(path, resource, "r", "2026-12-31T00:00:00Z");
        let target = format!("{path}?restype=account&comp=properties&{sas}");
        kit.ask("GET", &target).unsigned().send().expect(200);
    }
}

#[test]
fn either_of_two_keys_signs() {
    let kit = kit(|builder| builder.second_key(DEFAULT_ACCOUNT, "c2Vjb25k"));
    kit.container("src");
    let read = |key: &[u8]| {
        let mut request = kit.ask("GET", "/src?restype=container").request();
        let date = request.headers()["x-ms-date"].to_str().expect("text").to_owned();
        let version = request.headers()["x-ms-version"].to_str().expect("text").to_owned();
        let text = format!(
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n\
             /{DEFAULT_ACCOUNT}/{DEFAULT_ACCOUNT}/src\nrestype:container"
        );
        let authorization = format!("SharedKey {DEFAULT_ACCOUNT}:{}", sign_with(key, &text));
        request.headers_mut().insert("authorization", authorization.parse().expect("text"));
        kit.sim.shared.clone().step(request).response.status().as_u16()
    };
    assert_eq!(read(b"second"), 200);
    assert_eq!(read(b"third"), 403);
}

/// A request as a part of a batch: signed, as HTTP text.
fn inner(id: usize, ask: Ask<'_>) -> String {
    let request: Request<Bytes> = ask.request();
    let target = request.uri().to_string().replace(HOST, "");
    let mut text = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
         Content-ID: {id}\r\n\r\n{} {target} HTTP/1.1\r\n",
        request.method()
    );
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    text + "\r\n\r\n"
}

fn batch(kit: &Kit, path: &str, parts: &[String]) -> super::kit::Reply {
    let body = parts.concat() + "--b--\r\n";
    let batch = kit.ask("POST", path).header("content-type", "multipart/mixed; boundary=b");
    let length = body.len().to_string();
    batch.header("content-length", &length).body(body.as_bytes()).send()
}

#[test]
fn a_batch_answers_each_of_its_requests() {
    let kit = plain();
    kit.container("src");
    for blob in ["/src/a", "/src/b"] {
        kit.block_blob(blob, b"x");
    }
    let parts = [
        inner(0, kit.ask("DELETE", "/src/a")),
        inner(1, kit.ask("DELETE", "/src/none")),
        inner(2, kit.ask("DELETE", "/src/b").unsigned()),
    ];
    let reply = batch(&kit, "/?comp=batch", &parts).expect(202);
    assert!(reply.header("content-type").starts_with("multipart/mixed; boundary=batchresponse_"));
    let text = reply.text();
    for (id, status) in [(0, "202 Accepted"), (1, "404 Not Found"), (2, "401 ")] {
        assert!(text.contains(&format!("Content-ID: {id}\r\n\r\nHTTP/1.1 {status}")), "{text}");
    }
    kit.head("/src/a").refused(404, "BlobNotFound");
    let tier = kit.ask("PUT", "/src/b?comp=tier").header("x-ms-access-tier", "Cool");
    let reply = batch(&kit, "/?comp=batch", &[inner(0, tier)]).expect(202);
    assert!(reply.text().contains("HTTP/1.1 200 OK"), "{}", reply.text());
    assert_eq!(kit.head("/src/b").header("x-ms-access-tier"), "Cool");
}

#[test]
fn a_fault_strikes_a_request_in_a_batch() {
    let kit = plain();
    kit.container("src");
    for blob in ["/src/a", "/src/b"] {
        kit.block_blob(blob, b"x");
    }
    let faults = kit.sim.faults();
    faults.on(Op::DeleteBlob).blob("b").answer(503, "ServerBusy").times(1);
    // Faults that break a connection do not apply within a batch.
    faults.on(Op::DeleteBlob).blob("a").reset();
    let parts = [inner(0, kit.ask("DELETE", "/src/a")), inner(1, kit.ask("DELETE", "/src/b"))];
    let reply = batch(&kit, "/?comp=batch", &parts).expect(202);
    for (id, status) in [(0, "202 "), (1, "503 ")] {
        let answer = format!("Content-ID: {id}\r\n\r\nHTTP/1.1 {status}");
        assert!(reply.text().contains(&answer), "{}", reply.text());
    }
    kit.head("/src/b").expect(200);
}

#[test]
fn a_batch_takes_only_what_belongs_into_one() {
    let kit = plain();
    kit.container("src");
    kit.container("other");
    kit.block_blob("/src/a", b"x");
    let wrong = inner(0, kit.ask("GET", "/src/a"));
    batch(&kit, "/?comp=batch", &[wrong]).refused(400, "InvalidInput");
    let elsewhere = inner(0, kit.ask("DELETE", "/src/a"));
    let path = "/other?restype=container&comp=batch";
    batch(&kit, path, &[elsewhere]).refused(400, "InvalidInput");
    kit.head("/src/a").expect(200);
    let tier = kit.ask("PUT", "/src/a?comp=tier").header("x-ms-access-tier", "Cool");
    let mixed = [inner(0, kit.ask("DELETE", "/src/a")), inner(1, tier)];
    let refused = batch(&kit, "/?comp=batch", &mixed);
    refused.refused(400, "AllBatchSubRequestsShouldBeSameApi");
    kit.head("/src/a").expect(200);
    let many: Vec<_> = (0..257).map(|id| inner(id, kit.ask("DELETE", "/src/a"))).collect();
    batch(&kit, "/?comp=batch", &many).refused(400, "ExceedsMaxBatchRequestCount");
    batch(&kit, "/?comp=batch", &[]).refused(400, "InvalidInput");
    let within = inner(0, kit.ask("DELETE", "/src/a"));
    batch(&kit, "/src?restype=container&comp=batch", &[within]).expect(202);
    kit.head("/src/a").refused(404, "BlobNotFound");
}
