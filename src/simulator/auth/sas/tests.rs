//! Tokens of the official Python SDK, and the strings that they were made from.

use super::*;

struct Vector {
    container: &'static str,
    blob: Option<&'static str>,
    /// The query of the request: the token, and the snapshot where there is one.
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
        let to_sign = match query.get("srt") {
            Some(_) => sas.account_string(),
            None => sas.service_string().unwrap(),
        };
        assert_eq!(to_sign, vector.to_sign, "{}", vector.query);
        assert_eq!(sign(&key, &to_sign).as_deref(), query.get("sig"), "{}", vector.query);
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
];
