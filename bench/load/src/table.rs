//! Lines as a table for a terminal or as Markdown, and Muster's lines beside those of peers.

use crate::line::{Latency, Line, Who};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Columns that line up on a terminal.
    Plain,
    /// A table of Markdown.
    Markdown,
}

const COLUMNS: [&str; 11] = [
    "what",
    "load",
    "per second",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "failed",
    "ratio",
    "p95 ratio",
];
const WIDTHS: [usize; 11] = [56, 11, 10, 8, 8, 8, 8, 8, 6, 6, 9];
const PEER_COLUMNS: [&str; 5] = ["Muster", "peer", "load", "rate ratio", "p95 ratio"];
const PEER_WIDTHS: [usize; 5] = [56, 34, 11, 10, 9];

/// The head of one section.
pub fn head(section: &str, form: Form) -> String {
    titled(section, &COLUMNS.map(str::to_owned), &WIDTHS, form)
}

/// One line.
pub fn row(line: &Line, form: Form) -> String {
    let millis =
        |of: fn(&Latency) -> f64| line.latency.as_ref().map_or_else(String::new, |all| short(of(all)));
    let ratio = line.beside.as_ref().map_or_else(String::new, |beside| short(beside.rate_ratio));
    let p95_ratio = line.beside.as_ref().and_then(|beside| beside.p95_ratio).map_or_else(String::new, short);
    let cells = [
        line.what.clone(),
        line.load.clone(),
        thousands(line.per_second),
        millis(|all| all.p50_ms),
        millis(|all| all.p95_ms),
        millis(|all| all.p99_ms),
        millis(|all| all.p99_9_ms),
        millis(|all| all.max_ms),
        line.failed.to_string(),
        ratio,
        p95_ratio,
    ];
    joined(&cells, &WIDTHS, form)
}

/// Every line of Muster beside every line of a peer of the same section and load: rate by rate, p95 by p95.
pub fn beside_peers(lines: &[Line], form: Form) -> String {
    let mut rows = Vec::new();
    for own in lines.iter().filter(|line| line.who == Who::Muster) {
        let is_peer = |line: &&Line| {
            line.who == Who::Peer && line.section == own.section && line.load == own.load && line.answered > 0
        };
        for peer in lines.iter().filter(is_peer) {
            let beside = own.clone().beside(peer).beside.expect("it was just compared");
            let p95_ratio = beside.p95_ratio.map_or_else(String::new, short);
            rows.push([
                own.what.clone(),
                peer.what.clone(),
                own.load.clone(),
                short(beside.rate_ratio),
                p95_ratio,
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = titled("Muster beside its peers", &PEER_COLUMNS.map(str::to_owned), &PEER_WIDTHS, form);
    let rows = rows.iter().map(|row| joined(row, &PEER_WIDTHS, form));
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

pub(crate) fn titled(title: &str, heads: &[String], widths: &[usize], form: Form) -> String {
    let heads = joined(heads, widths, form);
    match form {
        Form::Plain => format!("\n{title}\n{heads}"),
        Form::Markdown => format!("\n### {title}\n\n{heads}\n|{}", " --- |".repeat(widths.len())),
    }
}

/// One row; on a terminal the first column stands to the left and the others to the right.
pub(crate) fn joined(cells: &[String], widths: &[usize], form: Form) -> String {
    if form == Form::Markdown {
        return format!("| {} |", cells.join(" | "));
    }
    let padded = cells.iter().zip(widths).enumerate().map(|(index, (cell, &width))| {
        if index == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    });
    padded.collect::<Vec<_>>().join(" ")
}

/// Three digits or two decimals, whichever says more.
pub(crate) fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A whole number with its thousands set apart.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(who: Who, what: &str, load: &str, per_second: f64) -> Line {
        Line { per_second, load: load.to_owned(), section: "s".to_owned(), ..Line::rate(who, what, 9, 1.0) }
    }

    #[test]
    fn numbers_are_short_and_readable() {
        assert_eq!(thousands(1_234_567.2), "1,234,567");
        assert_eq!(thousands(999.0), "999");
        assert_eq!([short(0.123), short(12.34), short(123.4)], ["0.12", "12.3", "123"]);
    }

    #[test]
    fn a_line_stands_beside_peers_of_the_same_load_alone() {
        let lines = [
            line(Who::Muster, "m", "64 clients", 900.0),
            line(Who::Peer, "p", "64 clients", 300.0),
            line(Who::Peer, "p", "1 client", 100.0),
        ];
        let table = beside_peers(&lines, Form::Markdown);
        assert!(table.ends_with("| m | p | 64 clients | 3.00 |  |"), "{table}");
        assert_eq!(table.matches("| p |").count(), 1);
        assert_eq!(beside_peers(&lines[1..], Form::Markdown), "");
    }

    #[test]
    fn every_line_has_every_column() {
        let text = row(&line(Who::Limit, "l", "1 client", 5.0), Form::Markdown);
        assert_eq!(text.matches('|').count(), COLUMNS.len() + 1);
        let head = head("s", Form::Markdown);
        assert!(head.lines().skip(3).all(|line| line.matches('|').count() == COLUMNS.len() + 1), "{head}");
    }
}
