//! Tables for a terminal of 80 columns.

use crate::measure::{Figure, median};

/// Verifiers: the ratio to the baseline, also per signature, and what they check.
pub fn verifiers(figures: &[Figure]) -> String {
    let mut table = row(["", "bytes", "sigs", "µs", "least", "ratio", "per sig", "checks"]);
    for figure in figures {
        table += &timed(figure, [&format!("{:.2}", per_signature(figure)), &figure.checks]);
    }
    table
        + "\nratio: to the first row, in the same rounds. checks: what a verifier refuses:\n\
           S that is not reduced, a public key A or a commitment R of small order, and\n\
           what is valid only if one multiplies by the cofactor (1). A dash: it accepts.\n"
}

/// Sealing and opening.
pub fn sealers(figures: &[Figure]) -> String {
    let mut table = row(["", "bytes", "sigs", "µs", "least", "ratio", "", ""]);
    for figure in figures {
        table += &timed(figure, ["", ""]);
    }
    table
}

/// Programs: milliseconds, and the ratios to `static hello` and to `minisign -V`.
pub fn programs(figures: &[Figure]) -> String {
    let mut table = row(["", "bytes", "sigs", "ms", "least", "hello", "minisign", ""]);
    for figure in figures {
        let ratio = |name| ratio(figure, figures.iter().find(|other| other.name == name));
        table += &row([
            figure.name,
            &figure.bytes.to_string(),
            &figure.signatures.to_string(),
            &format!("{:.2}", figure.median / 1e3),
            &format!("{:.2}", figure.minimum / 1e3),
            &ratio("static hello"),
            &ratio("minisign -V"),
            "",
        ]);
    }
    table + "\nhello, minisign: ratio to that program, in the same rounds.\n"
}

/// The ratio to the baseline, divided by the number of signatures.
pub fn per_signature(figure: &Figure) -> f64 {
    figure.ratio / f64::from(figure.signatures.max(1))
}

fn ratio(figure: &Figure, other: Option<&Figure>) -> String {
    let Some(other) = other else { return String::new() };
    let ratios = figure.rounds.iter().zip(&other.rounds).map(|(it, other)| it / other);
    format!("{:.2}", median(ratios.collect()))
}

/// The row of work in this process: microseconds, the ratio, and the last two columns.
fn timed(figure: &Figure, [per, checks]: [&str; 2]) -> String {
    row([
        figure.name,
        &figure.bytes.to_string(),
        &figure.signatures.to_string(),
        &format!("{:.1}", figure.median),
        &format!("{:.1}", figure.minimum),
        &format!("{:.2}", figure.ratio),
        per,
        checks,
    ])
}

fn row([name, bytes, sigs, time, least, ratio, per, checks]: [&str; 8]) -> String {
    let line =
        format!("{name:<29}{bytes:>6}{sigs:>5}{time:>8}{least:>8}{ratio:>7}{per:>9}{checks:>8}");
    format!("{}\n", line.trim_end())
}
