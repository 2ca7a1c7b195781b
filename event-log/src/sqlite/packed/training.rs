//! Makes the dictionary of the rows from varied samples. `dev/dictionary` runs it.

use std::path::Path;

use super::samples::Samples;
use super::writing::take_apart;

/// Samples of another seed test what the dictionary does for records it wasn't made from.
pub(super) const SEED: u64 = 1;
const SAMPLES: usize = 40_000;
/// More gains little: docs/adr/0016-compact-rows.md.
const SIZE: usize = 32 * 1024;

#[test]
#[ignore = "writes a file of the sources, and rows of the one before can't be read with it"]
fn the_dictionary_is_made() {
    let mut samples = Samples::new(SEED);
    let texts: Vec<Vec<u8>> = (0..SAMPLES)
        .map(|_| {
            let (mut fixed, mut texts) = (Vec::new(), Vec::new());
            take_apart(&samples.record(), &mut fixed, &mut texts).expect("samples have the usual headers");
            texts
        })
        .collect();
    let dictionary = zstd::dict::from_samples(&texts, SIZE).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/packed/dictionary.zdict");
    std::fs::write(file, dictionary).unwrap();
}
