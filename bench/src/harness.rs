//! Cases are closures that run a batch of operations. All cases of a row take turns, over many rounds, so that
//! other work on the machine affects all of them alike. Cases are then compared round by round, and the median
//! of those comparisons counts: a slow round slows both sides, and a batch that was interrupted is an outlier.

use std::ops::Index;
use std::time::Instant;

/// Batches take from a fifth of a millisecond to a few. This is long beside the clock, and short beside a
/// scheduler's time slice for another process.
const ROUNDS: usize = 151;

/// The cases of a row.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "closures have none")]
pub struct Bench<'a> {
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    name: String,
    operations: usize,
    batch: Box<dyn FnMut() + 'a>,
}

/// A case's place in its bench.
#[derive(Clone, Copy, Debug)]
pub struct Place(usize);

impl<'a> Bench<'a> {
    /// Adds a case. `batch` runs this many operations at each call.
    pub fn case(
        &mut self,
        name: impl Into<String>,
        operations: usize,
        batch: impl FnMut() + 'a,
    ) -> Place {
        self.cases.push(Case {
            name: name.into(),
            operations,
            batch: Box::new(batch),
        });
        Place(self.cases.len() - 1)
    }

    /// Runs all cases in turn.
    pub fn run(mut self) -> Measured {
        // The first round warms caches and branch predictors, and does not count.
        for case in &mut self.cases {
            (case.batch)();
        }
        let count = self.cases.len();
        let mut samples = vec![Vec::with_capacity(ROUNDS); count];
        for round in 0..ROUNDS {
            // No case always comes right after the same other one.
            for turn in 0..count {
                let place = (round + turn) % count;
                let case = &mut self.cases[place];
                let start = Instant::now();
                (case.batch)();
                let nanos = start.elapsed().as_secs_f64() * 1e9;
                samples[place].push(nanos / case.operations as f64);
            }
        }
        let names = self.cases.into_iter().map(|case| case.name);
        Measured(names.zip(samples.into_iter().map(Samples)).collect())
    }
}

/// The times of a row's cases.
#[derive(Debug)]
pub struct Measured(Vec<(String, Samples)>);

impl Measured {
    /// The cases with their names, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Samples)> {
        self.0
            .iter()
            .map(|(name, samples)| (name.as_str(), samples))
    }
}

impl Index<Place> for Measured {
    type Output = Samples;

    fn index(&self, place: Place) -> &Samples {
        &self.0[place.0].1
    }
}

/// One number for each round: nanoseconds per operation, or a number computed from those.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(rounds: I) -> Self {
        Self(rounds.into_iter().collect())
    }
}

impl Samples {
    /// The value below which this share of the rounds stays.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index of a short list"
        )]
        let place = (share * (sorted.len() - 1) as f64).round() as usize;
        sorted[place]
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The minimum, which is the cost without disturbance. For figures that are judged in nanoseconds, from which
    /// the noise, which only adds, can't be divided out.
    pub fn least(&self) -> f64 {
        self.quantile(0.0)
    }

    /// Round by round, `self - other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.with(other, |own, other| own - other)
    }

    /// Round by round, `self / other`.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        self.with(other, |own, other| own / other)
    }

    /// Round by round, `self + other`.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, |own, other| own + other)
    }

    /// Round by round, `self * factor`.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        self.with(self, |own, _| own * factor)
    }

    fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(own, other)| combine(*own, *other)).collect())
    }
}
