//! Two builds that were measured by turns: the median of each line, the newer build's divided by the older one's.

use crate::line::{Line, Who};
use crate::table::{Form, joined, short, thousands, titled};

const COLUMNS: [&str; 7] =
    ["what", "load", "per second", "baseline", "rate ratio", "smallest, largest", "p95 ratio"];
const WIDTHS: [usize; 7] = [56, 11, 10, 10, 10, 17, 9];

/// Muster's lines of both builds beside each other. A line that one of them lacks is left out.
pub fn table(newer: &[Line], baseline: &[Line], form: Form) -> String {
    let mut rows = vec![titled("Beside the baseline", &COLUMNS.map(str::to_owned), &WIDTHS, form)];
    let mut done: Vec<&Line> = Vec::new();
    for line in newer.iter().filter(|line| line.who == Who::Muster) {
        if done.iter().any(|other| is_same(line, other)) {
            continue;
        }
        done.push(line);
        let of = |lines: &[Line], figure: fn(&Line) -> Option<f64>| -> Vec<f64> {
            lines.iter().filter(|other| is_same(line, other)).filter_map(figure).collect()
        };
        let rate = |line: &Line| Some(line.per_second);
        let p95 = |line: &Line| line.latency.map(|latency| latency.p95_ms);
        let (rates, old_rates) = (of(newer, rate), of(baseline, rate));
        let (Some(own), Some(old)) = (median(&rates), median(&old_rates)) else { continue };
        let turns = rates.iter().zip(&old_rates).map(|(own, old)| own / old);
        let (least, most) =
            turns.fold((f64::MAX, 0.0_f64), |(least, most), it| (least.min(it), most.max(it)));
        let p95_ratio = median(&of(newer, p95)).zip(median(&of(baseline, p95)));
        let cells = [
            format!("{}: {}", line.section, line.what),
            line.load.clone(),
            thousands(own),
            thousands(old),
            short(own / old),
            format!("{} to {}", short(least), short(most)),
            p95_ratio.map_or_else(String::new, |(own, old)| short(own / old.max(0.001))),
        ];
        rows.push(joined(&cells, &WIDTHS, form));
    }
    rows.join("\n")
}

fn is_same(one: &Line, other: &Line) -> bool {
    (&one.section, &one.what, &one.load, one.who) == (&other.section, &other.what, &other.load, other.who)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(what: &str, per_second: f64) -> Line {
        Line { per_second, section: "s".to_owned(), ..Line::rate(Who::Muster, what, 9, 1.0) }
    }

    #[test]
    fn the_median_of_a_line_stands_beside_that_of_the_baseline() {
        let newer = [line("a", 90.0), line("a", 100.0), line("a", 300.0), line("b", 1.0)];
        let baseline = [line("a", 100.0), line("a", 200.0), line("a", 150.0)];
        let table = table(&newer, &baseline, Form::Markdown);
        assert!(table.ends_with("| s: a |  | 100 | 150 | 0.67 | 0.50 to 2.00 |  |"), "{table}");
    }
}
