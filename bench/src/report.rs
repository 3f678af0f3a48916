use std::fmt;

use crate::harness::Measured;

/// Whether one figure keeps within its budget.
#[derive(Debug)]
pub struct Verdict {
    /// The measured thing.
    pub what: String,
    /// The measured amount.
    pub measured: String,
    /// The baseline.
    pub base: String,
    /// The comparison with the baseline.
    pub ratio: String,
    /// The budget.
    pub budget: String,
    /// Whether the comparison is within the budget.
    pub ok: bool,
}

/// Prints the times of a row's cases.
pub fn print_cases(title: &str, measured: &Measured) {
    println!("\n### {title}\n");
    println!("| case | median ns | p10 | p90 | least |");
    println!("|---|---:|---:|---:|---:|");
    for (name, samples) in measured.iter() {
        let [p10, median, p90] = [0.1, 0.5, 0.9].map(|share| samples.quantile(share));
        let least = samples.least();
        println!("| {name} | {median:.2} | {p10:.2} | {p90:.2} | {least:.2} |");
    }
}

/// Prints the verdicts of all rows.
pub fn print_verdicts(verdicts: &[(usize, Verdict)]) {
    println!("\n### Budgets\n");
    println!("| row | what | measured | base | ratio | budget | verdict |");
    println!("|---:|---|---:|---:|---:|---:|---|");
    for (row, verdict) in verdicts {
        println!("| {row} | {verdict} |");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            measured,
            base,
            ratio,
            budget,
            ok,
        } = self;
        let verdict = if *ok { "ok" } else { "OVER" };
        write!(
            f,
            "{what} | {measured} | {base} | {ratio} | {budget} | {verdict}"
        )
    }
}

/// Nanoseconds, as a verdict shows them.
pub fn ns(value: f64) -> String {
    format!("{value:.1} ns")
}

/// A ratio, as a verdict shows it.
pub fn times(ratio: f64) -> String {
    format!("{ratio:.2} x")
}
