//! Whether time tells which names there are.

use std::time::{Duration, Instant};

use super::{Found, bench::Bench};

const PAIRS: usize = 200;
const FEWEST: usize = 9;
const LONGEST: Duration = Duration::from_secs(4);
/// What cannot be told apart over a network, among everything else that takes time.
const GAP: Duration = Duration::from_millis(1);

pub(super) async fn run(bench: &mut Bench<'_>) {
    bench.mend();
    let name = bench.fixture.right.0.clone();
    let found = twice(bench, &name).await;
    bench.note("timing: a name that nobody has takes as long as a wrong password", found);
    if let Some((name, _)) = bench.fixture.disabled.clone() {
        let found = twice(bench, &name).await;
        bench.note("timing: so does one that is switched off", found);
    }
}

/// What is found once may be the machine's doing.
async fn twice(bench: &Bench<'_>, known: &str) -> Found {
    match measure(bench, known).await {
        Ok(()) => Ok(()),
        Err(_) => measure(bench, known).await,
    }
}

/// On one machine, against a service that takes no time: what is left is the backend's own. The
/// two are asked about in pairs, either one first, so that whatever else the machine does is done
/// to both.
async fn measure(bench: &Bench<'_>, known: &str) -> Found {
    let unknown = &bench.fixture.unknown;
    let began = Instant::now();
    let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        if pair >= FEWEST && began.elapsed() > LONGEST {
            break;
        }
        let first = time(bench, if pair % 2 == 0 { known } else { unknown }).await;
        let second = time(bench, if pair % 2 == 0 { unknown } else { known }).await;
        let (a, b) = if pair % 2 == 0 { (first, second) } else { (second, first) };
        of_known.push(a);
        of_unknown.push(b);
    }
    judge(&of_known, &of_unknown)
}

async fn time(bench: &Bench<'_>, name: &str) -> Duration {
    let began = Instant::now();
    bench.log_in(name, "surely not the password").await;
    began.elapsed()
}

/// Whether who sees the times can tell the two apart: more often than not, and by more than gets
/// lost on the way.
fn judge(known: &[Duration], unknown: &[Duration]) -> Found {
    let (area, gap) = (area(known, unknown), median(known).abs_diff(median(unknown)));
    if (area - 0.5).abs() <= chance(known.len()) || gap <= GAP {
        return Ok(());
    }
    let (known, unknown) = (median(known), median(unknown));
    Err(format!(
        "a wrong password takes {known:?}, an unknown name {unknown:?} (medians of {PAIRS} pairs at \
         most; who guesses by them is right {:.0} times in 100): do the same work for both",
        area.max(1.0 - area) * 100.0
    ))
}

/// How far chance takes the area from one half where so many pairs are alike: three standard
/// deviations (Mann and Whitney), so that where few were asked, for want of time, little is held
/// against a backend; and never less than what matters.
fn chance(pairs: usize) -> f64 {
    let pairs = u32::try_from(pairs).map_or(f64::MAX, f64::from);
    let deviation = ((2.0 * pairs + 1.0) / (12.0 * pairs * pairs)).sqrt();
    (3.0 * deviation).max(0.2)
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// How often one of the first takes longer than one of the second, between 0 and 1; a half where
/// nothing tells them apart (the area under the ROC curve, by Mann and Whitney's count).
fn area(first: &[Duration], second: &[Duration]) -> f64 {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| a.cmp(b)));
    let (mut all, mut longer) = (0.0_f64, 0.0_f64);
    for order in pairs {
        all += 1.0;
        longer += match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
    }
    if all == 0.0 { 0.5 } else { longer / all }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{area, judge};

    fn times(micros: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        micros.into_iter().map(Duration::from_micros).collect()
    }

    #[test]
    fn what_can_be_told_apart_is() {
        let (fast, slow) = (times(1000..1100), times(4000..4100));
        assert!((area(&slow, &fast) - 1.0).abs() < 1e-9);
        assert!((area(&fast, &fast) - 0.5).abs() < 1e-9);
        assert!(judge(&slow, &fast).is_err() && judge(&fast, &slow).is_err());
        assert!(judge(&slow[..9], &fast[..9]).is_err(), "the fewest there are");
    }

    #[test]
    fn of_few_pairs_little_is_held_against_it() {
        // One is longer in three of four comparisons.
        let (few, many) = (times([1, 5, 9].repeat(3)), times([3, 4, 7, 11, 12, 13, 14, 15, 2]));
        let milliseconds =
            |times: Vec<Duration>| times.iter().map(|t| *t * 1000).collect::<Vec<_>>();
        let (few, many) = (milliseconds(few), milliseconds(many));
        assert!(area(&many, &few) > 0.7);
        assert!(judge(&many, &few).is_ok(), "nine of each");
        assert!(judge(&many.repeat(20), &few.repeat(20)).is_err(), "180 of each");
    }

    #[test]
    fn noise_and_what_nobody_can_see_is_nothing() {
        let (one, other) =
            (times((0..100).map(|n| n * 97 % 5000)), times((0..100).map(|n| n * 89 % 5000)));
        assert!(judge(&one, &other).is_ok(), "spread widely, and alike");
        assert!(
            judge(&times(100..200), &times(300..400)).is_ok(),
            "apart, by a fifth of a millisecond"
        );
        let mut disturbed = times(1000..1100);
        disturbed[..20].fill(Duration::from_secs(1));
        assert!(
            judge(&disturbed, &times(1000..1100)).is_ok(),
            "a machine that stood still for a while"
        );
    }
}
