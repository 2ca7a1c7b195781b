//! A line per measurement, with its ratio to the limit.

use crate::closed_loop::Measured;

/// Prints the heading.
pub fn heading(title: &str) {
    say(&format!("\n{title}"));
    say(&format!(
        "{:<44} {:>8} {:>11} {:>8} {:>8} {:>8} {:>7}",
        "what", "clients", "per second", "p50 ms", "p95 ms", "p99 ms", "ratio"
    ));
}

/// Prints one measurement; `limit` is what it is compared with.
pub fn line(what: &str, clients: usize, measured: &Measured, limit: Option<&Measured>) {
    let ratio =
        limit.map_or_else(String::new, |limit| format!("{:.2}", measured.per_second / limit.per_second));
    say(&format!(
        "{what:<44} {clients:>8} {:>11.0} {:>8.2} {:>8.2} {:>8.2} {ratio:>7}",
        measured.per_second,
        measured.millis(50.0),
        measured.millis(95.0),
        measured.millis(99.0)
    ));
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(text: &str) {
    println!("{text}");
}
