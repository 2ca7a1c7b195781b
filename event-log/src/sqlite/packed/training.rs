//! Makes a dictionary of the rows from varied samples, in the directory for temporary files. `dev/dictionary` runs it.

use super::samples::Samples;
use super::writing::take_apart;

/// Samples of another seed test what the dictionary does for records it wasn't made from.
pub(super) const SEED: u64 = 1;
const SAMPLES: usize = 40_000;
/// More gains little: docs/adr/0016-compact-rows.md.
const SIZE: usize = 32 * 1024;

#[test]
#[ignore = "makes a file"]
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
    let file = std::env::temp_dir().join("muster-rows.zdict");
    std::fs::write(&file, dictionary).unwrap();
}
