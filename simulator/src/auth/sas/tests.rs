//! Tokens made by the official Python SDK, and the strings that it signed.

use super::*;

struct Vector {
    container: &'static str,
    blob: Option<&'static str>,
    /// The query of the request: the token, and the snapshot if there is one.
    query: &'static str,
    to_sign: &'static str,
}

#[test]
fn every_string_to_sign_is_rebuilt_from_the_request() {
    let key =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let key = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key).unwrap();
    for vector in VECTORS {
        let query = Query::parse(Some(vector.query)).unwrap();
        let route = Route {
            account: "devstoreaccount1".into(),
            secondary: false,
            container: Some(vector.container.into()),
            blob: vector.blob.map(str::to_owned),
        };
        let sas = Sas::of(&query, &route).unwrap();
        let headers = [("x-ms-test", "1"), ("x-ms-zed", "2")].map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let to_sign = sas.string_to_sign(Some(&headers.into_iter().collect())).unwrap();
        assert_eq!(to_sign, vector.to_sign, "{}", vector.query);
        let key = match query.get("skoid") {
            Some(_) => &b"0123456789abcdef0123456789abcdef"[..],
            None => &key,
        };
        assert_eq!(Some(&*sign(key, &to_sign)), query.get("sig"), "{}", vector.query);
    }
}

const VECTORS: &[Vector] = &[
    // service SAS, blob, read, 2026-06-06
    Vector {
        container: "src",
        blob: Some("dir/b c.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2026-06-06&sr=b&sig=Ih95CPVIM76wT4P4PEbvAeGwI67eX90iyLd%2B5q2mdwY%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/dir/b c.txt\n\n\nhttps\n2026-06-06\nb\n\n\n\n\n\n\n",
    },
    // service SAS, blob snapshot (sr=bs), 2026-06-06
    Vector {
        container: "vhds",
        blob: Some("disk.vhd"),
        query: "snapshot=2025-12-31T23:59:59.1234567Z&se=2026-01-02T00%3A00%3A00Z&sp=r&sv=2026-06-06&sr=bs&sig=Q1GgKhfRYBHQthrl/E5vJSiUPWaFniNlERgweGMzZck%3D",
        to_sign: "r\n\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/vhds/disk.vhd\n\n\n\n2026-06-06\nbs\n2025-12-31T23:59:59.1234567Z\n\n\n\n\n\n",
    },
    // service SAS, container, all options, 2026-06-06
    Vector {
        container: "dst",
        blob: None,
        query: "se=2026-01-02T00%3A00%3A00Z&sp=racwdl&sip=168.1.5.60-168.1.5.70&spr=https%2Chttp&sv=2026-06-06&sr=c&rsct=text/plain&ses=scope1&sig=NVAgOoaHEHS9/o9TIu%2BuGcUCOyT1XS9lw/%2Bl0JLNBeM%3D",
        to_sign: "racwdl\n\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/dst\n\n168.1.5.60-168.1.5.70\nhttps,http\n2026-06-06\nc\n\nscope1\n\n\n\n\ntext/plain",
    },
    // service SAS, stored access policy only, 2026-06-06
    Vector {
        container: "dst",
        blob: None,
        query: "sv=2026-06-06&si=pol1&sr=c&sig=u0bbYlPH3kEmfGWTA%2BHTwZcJN%2B8I75lg5psQ3mOyygk%3D",
        to_sign: "\n\n\n/blob/devstoreaccount1/dst\npol1\n\n\n2026-06-06\nc\n\n\n\n\n\n\n",
    },
    // account SAS, 2026-06-06
    Vector {
        container: "dst",
        blob: None,
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=rwdlac&spr=https&sv=2026-06-06&ss=b&srt=sco&sig=aEpFp/qaJBs%2BCZ1uuyGkd6DjrENWBRkyL5CIJF6l1Dc%3D",
        to_sign: "devstoreaccount1\nrwdlac\nb\nsco\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n\nhttps\n2026-06-06\n\n",
    },
    // service SAS, blob, read, 2019-12-12
    Vector {
        container: "src",
        blob: Some("dir/b c.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2019-12-12&sr=b&sig=jw8q%2BdX5O3gHtTJrQPfye9/rGaCZWdSpRIn5GeA1K0U%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/dir/b c.txt\n\n\nhttps\n2019-12-12\nb\n\n\n\n\n\n",
    },
    // account SAS, 2019-12-12
    Vector {
        container: "dst",
        blob: None,
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=rwdlac&spr=https&sv=2019-12-12&ss=b&srt=sco&sig=l/jaS8GgCyisZ4hjF2NaE2dNwBV%2BzUq7CCtOLe0UGto%3D",
        to_sign: "devstoreaccount1\nrwdlac\nb\nsco\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n\nhttps\n2019-12-12\n",
    },
    // service SAS, blob, read, 2026-10-06
    Vector {
        container: "src",
        blob: Some("dir/b c.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2026-10-06&sr=b&sig=icUcWJ2nFrn6XD6pcj2SwEFjONgbwyJ3AUWsZnUQdL0%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/dir/b c.txt\n\n\nhttps\n2026-10-06\nb\n\n\n\n\n\n\n",
    },
    // user delegation SAS, blob, read, 2026-06-06
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2026-06-06&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2026-06-06&sig=IUnF7XiW2q79kWYQgebmOdc/YAkVJ0TC6kXoIIXjNis%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2026-06-06\n\n\n\n\n\n\nhttps\n2026-06-06\nb\n\n\n\n\n\n\n\n\n",
    },
    // user delegation SAS, container, saoid+scid, 2026-06-06
    Vector {
        container: "src",
        blob: None,
        query: "se=2026-01-02T00%3A00%3A00Z&sp=rl&sv=2026-06-06&sr=c&saoid=00000000-0000-0000-0000-0000000000aa&scid=00000000-0000-0000-0000-0000000000cc&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2026-06-06&sig=YWfadVUDeZ1I%2BhRN4wjlHsCnj0EaQDcg2qAtCZZ1ETk%3D",
        to_sign: "rl\n\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2026-06-06\n00000000-0000-0000-0000-0000000000aa\n\n00000000-0000-0000-0000-0000000000cc\n\n\n\n\n2026-06-06\nc\n\n\n\n\n\n\n\n\n",
    },
    // user delegation SAS, skdutid+sduoid, 2026-06-06
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "se=2026-01-02T00%3A00%3A00Z&sp=r&sv=2026-06-06&sduoid=00000000-0000-0000-0000-00000000000e&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2026-06-06&skdutid=00000000-0000-0000-0000-00000000000d&sig=/S%2BXzAxk0rrEkPkf78%2BpZImmAMszmdtcwKuPA%2BbqYt4%3D",
        to_sign: "r\n\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2026-06-06\n\n\n\n00000000-0000-0000-0000-00000000000d\n00000000-0000-0000-0000-00000000000e\n\n\n2026-06-06\nb\n\n\n\n\n\n\n\n\n",
    },
    // user delegation SAS, srh+srq, 2026-06-06
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "timeout=30&se=2026-01-02T00%3A00%3A00Z&sp=r&sv=2026-06-06&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2026-06-06&srh=x-ms-test,x-ms-zed&srq=timeout&sig=Wcthhi6mOv14uxQqgEGnQoHNNw4CMRRScq98Zu1ch0s%3D",
        to_sign: "r\n\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2026-06-06\n\n\n\n\n\n\n\n2026-06-06\nb\n\n\nx-ms-test:1\nx-ms-zed:2\n\n\ntimeout:30\n\n\n\n\n",
    },
    // user delegation SAS, blob, read, 2025-11-05
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2025-11-05&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2025-11-05&sig=iejjiQtT3bU4fhfo2k60429BgE8hkccXi38eindaXG0%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2025-11-05\n\n\n\n\n\n\nhttps\n2025-11-05\nb\n\n\n\n\n\n\n",
    },
    // user delegation SAS, blob, read, 2025-01-05
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2025-01-05&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2025-01-05&sig=OJXMXi5W2kaI4EgkJNSjEAY1ho7E7sfpv0w6IAG8K9o%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2025-01-05\n\n\n\n\nhttps\n2025-01-05\nb\n\n\n\n\n\n\n",
    },
    // user delegation SAS, blob, read, 2020-10-02
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2020-10-02&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2020-10-02&sig=TsV6XPvxNFTDUF4zRbu/fACOu9%2Bm53fZl4%2Bvl5TBdXU%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2020-10-02\n\n\n\n\nhttps\n2020-10-02\nb\n\n\n\n\n\n",
    },
    // user delegation SAS, blob, read, 2019-12-12
    Vector {
        container: "src",
        blob: Some("b.txt"),
        query: "st=2026-01-01T00%3A00%3A00Z&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sv=2019-12-12&sr=b&skoid=00000000-0000-0000-0000-00000000000a&sktid=00000000-0000-0000-0000-00000000000b&skt=2026-01-01T00%3A00%3A00Z&ske=2026-01-03T00%3A00%3A00Z&sks=b&skv=2019-12-12&sig=1N7wCUxccKbtDyFf0QHQQqW50Szb81AdYP7LnPolavk%3D",
        to_sign: "r\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n/blob/devstoreaccount1/src/b.txt\n00000000-0000-0000-0000-00000000000a\n00000000-0000-0000-0000-00000000000b\n2026-01-01T00:00:00Z\n2026-01-03T00:00:00Z\nb\n2019-12-12\n\nhttps\n2019-12-12\nb\n\n\n\n\n\n",
    },
];
