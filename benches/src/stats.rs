//! Medians, percentiles and ratios.

use std::time::Duration;

/// How long answers took, as they came in.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Notes one.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Takes over what another generator noted.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many were noted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latency that this share of all answers did not exceed (nearest rank); zero when there
    /// were none. `permille` is the share in thousandths: 990 for the 99th percentile.
    pub fn percentile(&mut self, permille: usize) -> Duration {
        self.0.sort_unstable();
        let rank = (self.0.len() * permille).div_ceil(1000).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

/// The middle value; the mean of the two middle ones when their number is even. NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => f64::NAN,
        (1, Some(value)) => *value,
        (_, Some(value)) => f64::midpoint(sorted[middle - 1], *value),
    }
}

/// The median of the ratios of values that were measured in the same round. Ratios of medians
/// would compare rounds between which the machine may have changed its speed.
pub fn paired_ratio(values: &[f64], references: &[f64]) -> f64 {
    let ratios: Vec<f64> =
        values.iter().zip(references).map(|(value, reference)| value / reference).collect();
    median(&ratios)
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub fn float(count: usize) -> f64 {
    count as f64
}

/// Microseconds.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]).to_bits(), 2.5f64.to_bits());
        assert_eq!(median(&[9.0, 1.0, 5.0]).to_bits(), 5.0f64.to_bits());
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The machine was half as fast in the second round; the ratio is 2 all the same.
        let ratio = paired_ratio(&[200.0, 100.0, 204.0], &[100.0, 50.0, 102.0]);
        assert_eq!(ratio.to_bits(), 2.0f64.to_bits());
    }

    #[test]
    fn the_percentile_is_an_answer_that_was_seen() {
        let mut latencies = Latencies::default();
        for millis in (1..=200).rev() {
            latencies.push(Duration::from_millis(millis));
        }
        assert_eq!(latencies.percentile(500), Duration::from_millis(100));
        assert_eq!(latencies.percentile(990), Duration::from_millis(198));
        assert_eq!(latencies.percentile(1000), Duration::from_millis(200));
        assert_eq!(Latencies::default().percentile(990), Duration::ZERO);
    }
}
