use std::{fmt::Write, time::Duration};

use super::{Conclusion, Control, Heard, Next, OnUnavailable, Place, Walk};

const CONTROLS: [Control; 4] =
    [Control::Sufficient, Control::Required, Control::Requisite, Control::Optional];
const SILENCES: [OnUnavailable; 3] =
    [OnUnavailable::Fail, OnUnavailable::Skip, OnUnavailable::Cached(Duration::from_hours(8))];
const ANSWERS: [(Heard, &str); 10] = [
    (Heard::Verified, "verified"),
    (Heard::NotMine, "not mine"),
    (Heard::Bad, "bad"),
    (Heard::BadOrUnknown, "bad or unknown"),
    (Heard::Barred, "locked, disabled, expired, must change"),
    (Heard::NotEntitled, "not entitled"),
    (Heard::Challenged, "challenge"),
    (Heard::Unavailable, "unavailable, timeout"),
    (Heard::Remembered, "unavailable, remembered"),
    (Heard::Broken, "misconfigured, protocol, bug"),
];

/// Asks all that have a say; answers what it comes to and who was asked.
fn walk(table: &[(Place, Heard)]) -> (Conclusion, Vec<usize>) {
    let (mut walk, mut asked) = (Walk::default(), Vec::new());
    for (at, &(place, heard)) in table.iter().enumerate() {
        if !walk.asks(place) {
            continue;
        }
        asked.push(at);
        if walk.hear(at, place, heard) == Next::Stop {
            break;
        }
    }
    (walk.conclude(), asked)
}

fn place(control: Control) -> Place {
    Place { control, on_unavailable: OnUnavailable::Fail }
}

fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Accept(_) => "let in",
        Conclusion::Refuse(_) => "401",
        Conclusion::TryLater(_) => "503",
        Conclusion::Challenge(_) => "a further step",
    }
}

/// Each answer with each control, where nobody else knows the visitor and where another does.
#[test]
fn the_documented_table_is_what_happens() {
    let known = (place(Control::Sufficient), Heard::Verified);
    let mut rows = String::from(
        "| control | answer | alone | before one that verifies | after one that verified |\n\
         |---|---|---|---|---|\n",
    );
    for control in CONTROLS {
        for (heard, name) in ANSWERS {
            let this = (place(control), heard);
            let alone = word(walk(&[this]).0);
            let before = word(walk(&[this, known]).0);
            let (after, asked) = walk(&[known, this]);
            let after = if asked.len() == 1 { "not asked" } else { word(after) };
            writeln!(rows, "| {control} | {name} | {alone} | {before} | {after} |").unwrap();
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/backends.md");
    let page = std::fs::read_to_string(file).unwrap_or_default();
    let (begin, end) = ("<!-- table -->\n", "<!-- end of the table -->\n");
    let cut = |page: &str| {
        let from = page.find(begin)? + begin.len();
        Some((from, page[from..].find(end)? + from))
    };
    let (from, to) = cut(&page).expect("docs/backends.md has the marks of the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, format!("{}{rows}{}", &page[..from], &page[to..])).unwrap();
    } else {
        assert_eq!(&page[from..to], rows, "UPDATE_DOCS=1 writes it anew");
    }
}

/// Every table of three places with every answer in each: some 250,000 logins.
fn every_table_of_three(mut check: impl FnMut(&[(Place, Heard)], Conclusion, &[usize])) {
    let mut each = Vec::new();
    for control in CONTROLS {
        for on_unavailable in SILENCES {
            for (heard, _) in ANSWERS {
                // Nobody lets in by memory who has to say who the visitor is.
                if heard != Heard::Remembered || control != Control::Sufficient {
                    each.push((Place { control, on_unavailable }, heard));
                }
            }
        }
    }
    for &first in &each {
        for &second in &each {
            for &third in &each {
                let table = [first, second, third];
                let (conclusion, asked) = walk(&table);
                check(&table, conclusion, &asked);
            }
        }
    }
}

#[test]
fn a_fault_never_lets_in_and_never_reads_as_a_refusal() {
    every_table_of_three(|table, conclusion, asked| {
        let faults = |at: &&usize| matches!(table[**at].1, Heard::Unavailable | Heard::Broken);
        let faulty = asked.iter().filter(faults).count() > 0;
        let verified = asked
            .iter()
            .any(|&at| table[at].1 == Heard::Verified && table[at].0.control != Control::Optional);
        let asks_on = matches!(conclusion, Conclusion::Challenge(_));
        if faulty && !verified && !asks_on {
            assert!(matches!(conclusion, Conclusion::TryLater(_)), "{table:?}");
        }
        if !verified {
            assert!(!matches!(conclusion, Conclusion::Accept(_)), "{table:?}");
        }
        if !faulty {
            assert!(!matches!(conclusion, Conclusion::TryLater(_)), "{table:?}");
        }
    });
}

#[test]
fn whoever_is_let_in_was_verified_by_all_who_have_to() {
    every_table_of_three(|table, conclusion, asked| {
        let Conclusion::Accept(by) = conclusion else { return };
        assert_eq!(table[by].1, Heard::Verified, "{table:?}");
        assert_ne!(table[by].0.control, Control::Optional, "{table:?}");
        for (at, (place, heard)) in table.iter().enumerate() {
            if matches!(place.control, Control::Required | Control::Requisite) {
                assert!(asked.contains(&at), "{table:?}: {at} was not asked");
                assert!(matches!(heard, Heard::Verified | Heard::Remembered), "{table:?}");
            }
        }
    });
}

#[test]
fn a_further_step_is_asked_of_those_alone_whom_nobody_has_refused() {
    every_table_of_three(|table, conclusion, asked| {
        let refuses = |at: &usize| {
            let (place, heard) = table[*at];
            place.control == Control::Required
                && !matches!(heard, Heard::Verified | Heard::Remembered | Heard::Challenged)
        };
        if let Conclusion::Challenge(at) = conclusion {
            assert_eq!(table[at].1, Heard::Challenged, "{table:?}");
            assert_ne!(table[at].0.control, Control::Optional, "{table:?}");
            assert_eq!(asked.last(), Some(&at), "{table:?}: somebody was asked after it");
            assert!(!asked.iter().any(refuses), "{table:?}");
        }
    });
}

#[test]
fn nobody_sees_a_password_after_it_was_found_wrong_or_right() {
    every_table_of_three(|table, _, asked| {
        for (place_in_line, &at) in asked.iter().enumerate() {
            let (place, heard) = table[at];
            let later = &asked[place_in_line + 1..];
            if place.control == Control::Sufficient && heard == Heard::Verified {
                let again = |&at: &usize| table[at].0.control == Control::Sufficient;
                assert!(!later.iter().any(again), "{table:?}");
            }
            if place.control == Control::Sufficient && heard == Heard::Bad {
                assert!(later.is_empty(), "{table:?}");
            }
        }
    });
}

#[test]
fn what_is_optional_changes_nothing_but_whom_it_cannot_find() {
    every_table_of_three(|table, conclusion, _| {
        if table[1].0.control != Control::Optional {
            return;
        }
        let (without, _) = walk(&[table[0], table[2]]);
        if matches!(table[1].1, Heard::Unavailable | Heard::Broken) {
            // Who is let in without it is let in; a refusal without it may be its silence.
            let accepted = |c: Conclusion| matches!(c, Conclusion::Accept(_));
            assert_eq!(accepted(conclusion), accepted(without), "{table:?}");
        } else {
            assert_eq!(word(conclusion), word(without), "{table:?}");
        }
    });
}

#[test]
fn wrong_guesses_alone_count() {
    let counted: Vec<_> = ANSWERS.iter().filter(|(heard, _)| heard.is_wrong_guess()).collect();
    assert_eq!(counted.len(), 2);
    assert!(Heard::Bad.is_wrong_guess() && Heard::BadOrUnknown.is_wrong_guess());
}

#[test]
fn what_counts_as_a_guess_is_a_wrong_password_and_a_code_that_was_used_before() {
    use crate::ports::backend::{Fault, NotMine, RejectReason, Verdict};
    let guesses = |verdict: Verdict| Heard::of(&verdict).is_wrong_guess();
    for reason in [RejectReason::Bad, RejectReason::BadOrUnknown, RejectReason::Replay] {
        assert!(guesses(Verdict::rejected(reason)), "{reason:?}");
    }
    for reason in [
        RejectReason::Locked,
        RejectReason::Disabled,
        RejectReason::Expired,
        RejectReason::MustChange,
        RejectReason::NotEntitled,
        RejectReason::NotLinked,
        RejectReason::Cancelled,
    ] {
        assert!(!guesses(Verdict::rejected(reason)), "{reason:?}");
    }
    for fault in [
        Fault::unavailable("x"),
        Fault::Timeout,
        Fault::protocol("x"),
        Fault::Misconfigured(String::new()),
        Fault::Reported(String::new()),
        Fault::Bug(String::new()),
    ] {
        assert!(!guesses(Verdict::Fault(fault)));
    }
    assert!(!guesses(Verdict::NotMine(NotMine::UnknownSubject)));
}
