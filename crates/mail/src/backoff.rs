//! How long to wait before the next attempt: longer each time, and never quite as long as others.

use std::time::Duration;

use vestibule_core::Entropy;

/// After so many attempts, about five days (RFC 5321 section 4.5.4.1), a mail is given up.
pub const MOST_ATTEMPTS: u32 = 15;
/// What cannot even be written is tried so often, in case somebody repairs it.
pub const MOST_POISONED: u32 = 3;

const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(24);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How long one mail waits after its attempt of this number: a minute, then twice as long each
/// time, a day at most; a fifth more or less, so that what failed together does not come together.
pub fn wait(attempts: u32, entropy: &dyn Entropy) -> Duration {
    grown(FIRST, attempts, LONGEST, entropy)
}

/// How long the whole outbox waits after the mail server could not be asked so many times in a
/// row. Shorter than a mail's own waits: one attempt stands for all mails, and none of them is to
/// wait long once the server is back.
pub fn pause(failures: u32, entropy: &dyn Entropy) -> Duration {
    grown(FIRST_PAUSE, failures, LONGEST_PAUSE, entropy)
}

fn grown(first: Duration, times: u32, longest: Duration, entropy: &dyn Entropy) -> Duration {
    let doubled = 2_u32.saturating_pow(times.saturating_sub(1).min(30));
    let whole = first.saturating_mul(doubled).min(longest);
    let mut byte = [0];
    entropy.fill(&mut byte);
    // From four fifths to six fifths, and still a day at most.
    let share = 0.8 + 0.4 * f64::from(byte[0]) / 255.0;
    whole.mul_f64(share).min(longest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vestibule_core::testkit::SeededEntropy;

    use super::{MOST_ATTEMPTS, pause, wait};

    #[test]
    fn flt_f20_waits_grow_to_a_day_and_no_further() {
        let entropy = SeededEntropy::new(1);
        let mut least = Duration::ZERO;
        for attempt in 1..=11 {
            let wait = wait(attempt, &entropy);
            let whole = Duration::from_mins(1 << (attempt - 1));
            assert!(
                wait >= whole.mul_f64(0.79) && wait <= whole.mul_f64(1.21),
                "{attempt} {wait:?}"
            );
            assert!(wait > least, "{attempt}");
            least = whole.mul_f64(0.79);
        }
        let day = Duration::from_hours(24);
        for attempt in [12, 15, 40, u32::MAX] {
            let wait = wait(attempt, &entropy);
            assert!(wait <= day && wait >= day.mul_f64(0.79), "{attempt} {wait:?}");
        }
        assert!(pause(u32::MAX, &entropy) <= Duration::from_mins(10));
        assert!(pause(1, &entropy) <= Duration::from_secs(3));
    }

    #[test]
    fn flt_f20_what_failed_together_does_not_come_back_together() {
        let entropy = SeededEntropy::new(2);
        let waits: std::collections::BTreeSet<_> = (0..100).map(|_| wait(5, &entropy)).collect();
        assert!(waits.len() > 50, "{}", waits.len());
    }

    #[test]
    fn all_attempts_together_take_about_five_days() {
        let entropy = SeededEntropy::new(3);
        let all: Duration = (1..MOST_ATTEMPTS).map(|attempt| wait(attempt, &entropy)).sum();
        let days = all.as_secs_f64() / 86_400.0;
        assert!((3.5..6.5).contains(&days), "{days}");
    }
}
