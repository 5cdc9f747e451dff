//! Ranges have every name once, and about as many each.

use proptest::{collection::vec, prelude::*};

use super::*;

fn job() -> Fingerprint {
    Fingerprint::new("https://a/c".into(), "https://b/c".into(), [])
}

fn cut(names: &[String], shards: u32) -> JobFile {
    let mut borders = Borders::new(shards);
    names.iter().for_each(|name| borders.add(name));
    JobFile::new(job(), true, borders.done()).expect("legal borders")
}

fn shards(file: &JobFile) -> Vec<Shard> {
    (0..file.count()).map(|index| file.shard(index).expect("there")).collect()
}

/// Names of a few characters, some of which UTF-8 and UTF-16 order differently.
fn name() -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        Just('a'),
        Just('b'),
        Just('/'),
        Just('-'),
        Just('é'),
        Just('\u{e000}'),
        Just('\u{ffee}'),
        Just('\u{10000}'),
        Just('😀'),
    ];
    vec(characters, 0..5).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #[test]
    fn every_name_is_in_one_range(
        listed in vec(name(), 0..60), later in vec(name(), 0..20), count in 1..12_u32,
    ) {
        let file = cut(&listed, count);
        prop_assert_eq!(file.count(), count);
        let shards = shards(&file);
        for name in listed.iter().chain(&later) {
            let holders = shards.iter().filter(|shard| shard.holds(name)).count();
            prop_assert_eq!(holders, 1, "{:?} of {:?}", name, &file.borders);
        }
    }

    #[test]
    fn a_cut_listing_misses_nothing(listed in vec(name(), 0..60), count in 1..12_u32) {
        let file = cut(&listed, count);
        let mut listed = listed;
        listed.sort_by(|a, b| order::compare(a, b));
        for shard in shards(&file) {
            let from = shard.start_from().unwrap_or_default();
            let rest = listed.iter().filter(|name| order::compare(from, name).is_le());
            let seen: Vec<_> = rest.take_while(|name| !shard.is_behind(name)).collect();
            let own: Vec<_> = listed.iter().filter(|name| shard.holds(name)).collect();
            prop_assert_eq!(seen, own);
        }
    }
}

#[test]
fn ranges_have_about_as_many_names_each() {
    for blobs in [1_000, 50_000, 200_000_u32] {
        for count in [1, 3, 16] {
            let names: Vec<String> = (0..blobs).map(|n| format!("{:04}/{n}", n / 7)).collect();
            let file = cut(&names, count);
            for shard in shards(&file) {
                let held = names.iter().filter(|name| shard.holds(name)).count();
                let even = f64::from(blobs / count);
                #[allow(clippy::cast_precision_loss)]
                let off = (held as f64 - even).abs() / even;
                assert!(off < 0.05, "{blobs} blobs, {shard}: {held}");
            }
        }
    }
}

#[test]
fn it_keeps_few_names() {
    let mut borders = Borders::new(4);
    (0..100_000).for_each(|n| borders.add(&n.to_string()));
    assert!((256..=512).contains(&borders.kept.len()), "{}", borders.kept.len());
}

#[test]
fn with_fewer_names_than_shards_some_are_empty() {
    let file = cut(&["a".to_owned(), "b".to_owned()], 5);
    let held: Vec<usize> = shards(&file)
        .iter()
        .map(|shard| ["a", "b", "c"].iter().filter(|name| shard.holds(name)).count())
        .collect();
    assert_eq!(held.iter().sum::<usize>(), 3, "{held:?}");
    assert_eq!(held.len(), 5);
    assert!(shards(&cut(&[], 3))[2].holds("new"));
}

#[test]
fn a_name_that_looks_like_a_secret_is_no_border() {
    let names: Vec<String> = (0..40).map(|n| format!("{n:02}?sig=aGVsbG8{n}")).collect();
    let mut borders = Borders::new(3);
    borders.add("03");
    names.iter().for_each(|name| borders.add(name));
    let file = JobFile::new(job(), true, borders.done()).expect("legal");
    let text = serde_json::to_string(&file).expect("JSON");
    assert!(!text.contains("sig=") && text.contains("\"03\""), "{text}");
}

#[test]
fn a_file_is_read_as_it_was_written_and_checked() {
    let names: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let file = cut(&names, 4);
    let text = serde_json::to_string(&file).expect("JSON");
    assert_eq!(serde_json::from_str::<JobFile>(&text).expect("JSON"), file);
    for (from, to, why) in [
        ("\"version\":1", "\"version\":2", "version"),
        ("\"025\",\"050\"", "\"050\",\"025\"", "follows it"),
    ] {
        let bad = text.replace(from, to);
        assert_ne!(bad, text, "{text}");
        let error = serde_json::from_str::<JobFile>(&bad).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(file.shard(4).is_err());
    let many = vec![String::new(); 10_000];
    assert!(JobFile::new(job(), true, many).is_err());
}

#[test]
fn a_file_of_listings_out_of_order_cuts_none() {
    let file = JobFile::new(job(), false, vec!["b".into()]).expect("legal");
    let second = file.shard(1).expect("there");
    assert!(second.holds("b") && second.start_from().is_none());
}
