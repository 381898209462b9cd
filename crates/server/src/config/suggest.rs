//! The known key that an unknown one was probably meant to be.

/// The nearest of `known` to what was `typed`, when one is near enough to be worth naming.
///
/// A right name in a wrong section (`server.pool_size`) counts as near.
pub(super) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let last = typed.rsplit('.').next().unwrap_or_default();
    // A key is short; nothing long is a slip of the fingers, and the distance costs time squared.
    if typed.len() > 64 {
        return None;
    }
    let allowed = (typed.len() / 4).clamp(1, 4);
    known
        .into_iter()
        .map(|key| {
            let same_name = key.rsplit('.').next() == Some(last);
            let far = distance(&typed, key);
            (if same_name { far.min(1) } else { far }, far, key)
        })
        .filter(|(rank, _, _)| *rank <= allowed)
        .min()
        .map(|(_, _, key)| key)
}

/// Levenshtein distance, with two neighbouring letters that changed places counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let changed = last[j] + usize::from(a[i] != b[j]);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] =
        ["site.name", "session.cookie_age", "storage.pool_size", "server.workers"];

    #[test]
    fn slips_find_the_key_that_was_meant() {
        for (typed, meant) in [
            ("site.nmae", "site.name"),
            ("sesion.cookie_age", "session.cookie_age"),
            ("server.pool_size", "storage.pool_size"),
            ("Server.Workers", "server.workers"),
            ("name", "site.name"),
        ] {
            assert_eq!(nearest(typed, KNOWN), Some(meant), "{typed}");
        }
    }

    #[test]
    fn what_is_far_from_all_suggests_nothing() {
        for typed in ["", "quota.max_cpu", "x", "public.enabled"] {
            assert_eq!(nearest(typed, KNOWN), None, "{typed}");
        }
        assert_eq!(nearest(&"site.name".repeat(100_000), KNOWN), None);
    }

    #[test]
    fn swapped_letters_count_once() {
        assert_eq!(distance("nmae", "name"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
