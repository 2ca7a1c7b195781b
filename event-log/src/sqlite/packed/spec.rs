//! That a compact row gives back the record it was made of, to the byte.

use std::fs;
use std::path::Path;

use log_model::record::{CHAIN, CONTENT_TYPE, ID, Record, SUBJECT, TIME, TYPE};
use log_model::{Stream, StreamPartition};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::schema::prepare;
use super::super::store::Store;
use super::compression::{Compressor, Decompressor};
use super::layout::NAMES;
use super::reading::{WantedHeaders, read};
use super::samples::Samples;
use super::training::SEED;
use super::writing::pack;
use crate::envelope::Envelope;
use crate::record_buffer::RecordBuffer;

fn unpacked(row: &[u8]) -> Option<Record> {
    let mut record_buffer = RecordBuffer::new(StreamPartition::new(Stream::UserEvents, 0));
    // What is left of an earlier record doesn't show.
    record_buffer.header_value(CHAIN).push_str("an earlier value");
    record_buffer.key().push_str("an earlier key");
    record_buffer.set_body(Some(b"an earlier body"));
    read(&mut record_buffer, 7, row, &mut Decompressor::default(), &WantedHeaders::of(None))?;
    assert_eq!(record_buffer.current().offset, 7);
    Some(record_buffer.into_recorded().record)
}

fn round_trip(record: &Record) {
    let row = pack(record, &mut Compressor::default()).expect("it has the usual headers");
    assert_eq!(unpacked(&row).as_ref(), Some(record));
}

/// Bytes of a record in the earlier form.
fn earlier_length(record: &Record) -> usize {
    // Quotes, colons and commas of the JSON object.
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    record.key.len() + headers + record.body.as_ref().map_or(0, Vec::len)
}

#[test]
fn every_golden_event_comes_back() {
    let mut samples = Samples::new(SEED + 1);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/fixtures");
    let mut seen = 0;
    for file in fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_stem().unwrap().to_str().unwrap().split('@').next().unwrap();
        let golden = fs::read(&file).unwrap();
        let compact = serde_json::from_slice::<serde_json::Value>(&golden).unwrap().to_string();
        let envelope = Envelope::read(&samples.event()).unwrap();
        for body in [golden, compact.into_bytes(), Vec::new()] {
            let mut record = envelope.record(name, body);
            round_trip(&record);
            record.push_header(CHAIN, "0a".repeat(32));
            round_trip(&record);
            seen += 1;
        }
    }
    assert!(seen > 90, "{seen}");
}

#[test]
fn samples_come_back_and_take_a_quarter_of_the_earlier_form() {
    let mut samples = Samples::new(SEED + 1);
    let (mut compressor, mut decompressor) = (Compressor::default(), Decompressor::default());
    let mut record_buffer = RecordBuffer::new(StreamPartition::new(Stream::UserEvents, 0));
    let (mut compact, mut earlier) = (0, 0);
    for _ in 0..2_000 {
        let record = samples.event();
        let row = pack(&record, &mut compressor).unwrap();
        read(&mut record_buffer, 1, &row, &mut decompressor, &WantedHeaders::of(None)).unwrap();
        assert_eq!(record_buffer.current().record, record);
        compact += row.len();
        earlier += earlier_length(&record);
    }
    assert!(compact * 4 < earlier, "{} and {} bytes an event", compact / 2_000, earlier / 2_000);
}

#[tokio::test]
async fn f48_a_file_of_events_takes_less_than_a_third_of_their_texts() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.db");
    fs::File::create(&file).unwrap();
    prepare(&file).await.unwrap().unwrap();
    let mut store = Store::open(file).await.unwrap();
    let mut samples = Samples::new(SEED + 1);
    let mut texts = 0;
    for _ in 0..20 {
        let records: Vec<_> = (0..500).map(|_| (Stream::UserEvents, samples.event())).collect();
        texts += records.iter().map(|(_, record)| earlier_length(record)).sum::<usize>();
        store.write(&records).await.ok().unwrap();
    }
    let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let size: i64 = sqlx::query_scalar(pages).fetch_one(store.connection().unwrap()).await.unwrap();
    let size = usize::try_from(size).unwrap();
    assert!(size * 3 < texts, "{} and {} bytes an event", size / 10_000, texts / 10_000);
}

#[test]
fn a_reader_gets_the_headers_it_wants_and_all_of_a_record_without_a_chain_value() {
    let mut record = Samples::new(SEED + 1).event();
    let wanted = WantedHeaders::of(Some(&[TYPE, SUBJECT]));
    let read = |record: &Record| {
        let row = pack(record, &mut Compressor::default()).unwrap();
        let mut record_buffer = RecordBuffer::new(StreamPartition::new(Stream::UserEvents, 0));
        read(&mut record_buffer, 7, &row, &mut Decompressor::default(), &wanted).unwrap();
        record_buffer.into_recorded().record
    };
    let some = read(&record);
    let names: Vec<_> = some.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [TYPE, SUBJECT, CHAIN]);
    assert!(names.iter().all(|name| some.header(name) == record.header(name)));
    assert_eq!((&some.key, &some.body), (&record.key, &record.body));
    record.headers.pop();
    assert_eq!(read(&record), record);
}

#[test]
fn claim_records_and_records_without_a_body_come_back() {
    round_trip(&Record::claim(Uuid::nil(), "2026-09-21T14:13:20.349540Z", "process 7"));
    round_trip(&Record::keyed("user_1/password".to_owned(), None));
    round_trip(&Record { key: String::new(), headers: Vec::new(), body: Some(Vec::new()) });
}

#[test]
fn unusual_headers_have_no_compact_form() {
    let header = |name| (name, "value".to_owned());
    for headers in [
        vec![header(TYPE), header(ID)],
        vec![header(ID), header(ID)],
        vec![header("ce_other")],
        vec![header(CHAIN), header(CONTENT_TYPE)],
    ] {
        let record = Record { key: "key".to_owned(), headers, body: None };
        assert_eq!(pack(&record, &mut Compressor::default()), None, "{:?}", record.headers);
    }
}

#[test]
fn a_row_that_was_cut_off_or_changed_is_never_a_panic() {
    let record = Samples::new(SEED + 1).event();
    let row = pack(&record, &mut Compressor::default()).unwrap();
    assert_eq!(row[0], 2, "it is compressed");
    let mut unread = 0;
    for at in 0..row.len() {
        assert_eq!(unpacked(&row[..at]), None, "cut off at {at}");
        for bit in 0..8 {
            let mut changed = row.clone();
            changed[at] ^= 1 << bit;
            // The chain shows a change of what can still be read.
            unread += usize::from(unpacked(&changed).is_none());
        }
    }
    assert!(unread > 100, "{unread} changed rows are no records");
    let longer = [row.as_slice(), &[0]].concat();
    assert_eq!(unpacked(&longer), None);
}

/// Texts as headers have them, nearly have them, or never have them.
fn any_text() -> impl Strategy<Value = String> {
    let id = any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string());
    prop_oneof![
        id.clone(),
        id.clone().prop_map(|id| format!("user_{id}")),
        (".{0,8}", id.clone(), ".{0,8}").prop_map(|(before, id, after)| format!("{before}{id}{after}")),
        id.prop_map(|id| id.to_uppercase()),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|\\+02:00)",
        "20[0-9]{2}-0[1-9]-[0-2][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z",
        "[0-9]{1,21}",
        "0{0,19}[0-9]{1,20}",
        "[0-9a-f]{64}",
        "[0-9a-fA-F]{62,66}",
        "0[0-1]-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
        Just("1.0".to_owned()),
        Just("/muster".to_owned()),
        Just("application/json".to_owned()),
        Just("muster.user.approved".to_owned()),
        Just("urn:muster:event:muster.user.approved".to_owned()),
        any::<String>(),
    ]
}

prop_compose! {
    fn any_record()(
        key in any_text(),
        values in prop::array::uniform18(prop::option::of(any_text())),
        subject_is_key in any::<bool>(),
        body in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
    ) -> Record {
        let headers = NAMES.into_iter().zip(values).filter_map(|(name, value)| {
            let same = subject_is_key && name == SUBJECT;
            value.map(|value| (name, if same { key.clone() } else { value }))
        });
        Record { headers: headers.collect(), key: key.clone(), body }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_stands_in_the_headers_comes_back(record in any_record()) {
        round_trip(&record);
    }

    #[test]
    fn no_bytes_are_too_odd_to_be_read(row in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = unpacked(&row);
    }
}

#[test]
fn a_time_is_kept_to_the_letter() {
    for time in ["2026-09-21T14:13:20Z", "2026-09-21T14:13:20.349540Z", "2026-09-21T14:13:20.3495401Z", "now"]
    {
        round_trip(&Record { key: "k".into(), headers: vec![(TIME, time.to_owned())], body: None });
    }
}

#[test]
fn the_dictionary_never_changes() {
    let digest = Sha256::digest(include_bytes!("dictionary.zdict"));
    assert_eq!(hex::encode(digest), "f9e7ba87140a96b2e35adfe3678efb175d3f7044b1b51894f8947f949734edc0");
}
