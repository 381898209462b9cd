//! Answers that take as long whatever they are about.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Answers leave at multiples of this after the request came: longer than a look-up, a write and
/// what the database takes for them, and short enough to wait for.
const BEAT: Duration = Duration::from_millis(250);

/// Has an answer leave on the beat, so that how long the work took is not told.
pub(crate) struct Pace(Instant);

impl Pace {
    /// The request is there.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits for the next beat.
    pub(crate) async fn end(self) {
        sleep_until(self.0 + on_the_beat(self.0.elapsed())).await;
    }
}

fn on_the_beat(took: Duration) -> Duration {
    let beats = took.as_nanos() / BEAT.as_nanos() + 1;
    BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_leave_on_the_beat() {
        for (took, leaves) in [(0, 250), (1, 250), (249, 250), (250, 500), (700, 750)] {
            let at = on_the_beat(Duration::from_millis(took));
            assert_eq!(at, Duration::from_millis(leaves), "{took}");
        }
    }
}
