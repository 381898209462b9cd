//! The rules for new passwords: what is refused and why, and what must not be.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, path::Path};

use vestibule_auth::passwords::{Blocklist, BlocklistError, PasswordRules, shipped};
use vestibule_core::{
    Secret,
    policy::passwords::{PasswordPolicy, PasswordProblem, summary},
};

fn check(rules: &PasswordRules, password: &str, context: &[&str]) -> Vec<PasswordProblem> {
    rules.check(&Secret::new(password), context)
}

fn codes(rules: &PasswordRules, password: &str, context: &[&str]) -> Vec<&'static str> {
    check(rules, password, context).into_iter().map(|problem| problem.code).collect()
}

fn of_length(min_length: usize) -> PasswordRules {
    PasswordRules::default().with_min_length(min_length).unwrap()
}

#[test]
fn asvs_v6_2_1_fourteen_characters_are_too_few_and_fifteen_are_enough() {
    let rules = PasswordRules::default();
    let problems = check(&rules, "nine bees kepm", &[]);
    assert_eq!((problems[0].code, problems[0].params["min_length"]), ("too_short", 15));
    assert!(problems[0].help.contains("15"));
    assert!(check(&rules, "nine bees kepmu", &[]).is_empty());
    // No site may ask for less than eight.
    let error = PasswordRules::default().with_min_length(7).unwrap_err();
    assert!(error.to_string().starts_with("password.min_length: "), "{error}");
    assert!(of_length(8).with_min_length(8).is_ok());
}

#[test]
fn std_s01_fifteen_is_the_default() {
    let rules = PasswordRules::default();
    assert_eq!(codes(&rules, "tubwoqkxmzrnae", &[]), ["too_short"]);
    assert!(codes(&rules, "tubwoqkxmzrnaey", &[]).is_empty());
}

#[test]
fn std_s02_sixty_four_wide_characters_are_accepted() {
    let emoji: String = (0..64).filter_map(|n| char::from_u32(0x1f400 + n * 5 % 61)).collect();
    assert_eq!((emoji.chars().count(), emoji.len()), (64, 256));
    assert!(check(&PasswordRules::default(), &emoji, &[]).is_empty());
}

#[test]
fn std_s03_ascii_spaces_and_unicode_are_accepted() {
    let rules = PasswordRules::default();
    for password in [
        "~}|{zyx;:<=>?@AB ^_`[]Q",
        "  maria keeps   nine bees ",
        "Мария держит девять пчёл",
        "蜂蜜九匹とマリアの小さな庭の物語です",
    ] {
        assert_eq!(codes(&rules, password, &[]), [""; 0], "{password}");
    }
}

#[test]
fn std_s04_one_kind_of_character_is_enough() {
    assert!(codes(&PasswordRules::default(), "ninebeeskeepmaria", &[]).is_empty());
}

#[test]
fn asvs_v6_2_4_every_shipped_common_password_is_refused() {
    let long = shipped().filter(|word| word.chars().count() >= 15).count();
    assert!(long >= 3000, "{long}");
    assert!(shipped().count() - long >= 3000);
    let (default, short) = (PasswordRules::default(), of_length(8));
    for word in shipped() {
        assert!(codes(&short, word, &[]).contains(&"common"), "{word}");
        assert!(codes(&default, &word.to_uppercase(), &[]).contains(&"common"), "{word}");
    }
    let problems = check(&default, "password12345678", &[]);
    assert!(problems[0].help.contains("tried first"), "{problems:?}");
}

#[test]
fn the_shipped_list_holds_nothing_too_short_to_matter_and_nothing_twice() {
    let words: Vec<_> = shipped().collect();
    assert!(words.iter().all(|word| word.len() >= 8 && *word == word.to_lowercase()));
    assert!(words.is_sorted_by(|a, b| a < b));
}

#[test]
fn std_s08_lists_are_compared_with_the_whole_password() {
    let rules = PasswordRules::default();
    assert_eq!(codes(&rules, "Password12345678", &[]), ["common"]);
    let longer = "my dog types password12345678 with its paws";
    assert!(codes(&rules, longer, &[]).is_empty());
    assert!(!summary(&check(&rules, "Password12345678", &[])).is_empty());
}

#[test]
fn asvs_v6_2_5_no_kind_of_character_is_asked_for() {
    let rules = PasswordRules::default();
    for password in ["qvzmtrhwolbxkda", "🦀 🐙  🐝 🌍🔥 🌱 🧊🎻 ", "830571946205738"]
    {
        assert_eq!(password.chars().count(), 15, "{password}");
        assert_eq!(codes(&rules, password, &[]), [""; 0], "{password}");
    }
}

#[test]
fn runs_and_repetitions_are_common() {
    for password in ["aaaaaaaaaaaaaaa", "123456789012345", "zyxwvutsrqponml", "abcabcabcabcabc"] {
        assert_eq!(codes(&PasswordRules::default(), password, &[]), ["common"], "{password}");
    }
}

#[test]
fn asvs_v6_2_11_the_accounts_own_words_are_refused() {
    let rules = PasswordRules::default().with_site("Photon Source South");
    let context = ["maria.lopez-serrano", "mlopez.serrano@example.org"];
    for password in [
        "maria.lopez-serrano",
        "Maria.Lopez-Serrano1987",
        "mlopez.serrano@example.org",
        "mlopez.serrano2026!!",
        "2026: Photon Source South",
        "photonsourcesouth1",
    ] {
        assert!(codes(&rules, password, &context).contains(&"too_similar"), "{password}");
        assert!(
            !codes(&rules, password, &[]).contains(&"too_similar") || password.contains("hoton")
        );
    }
    let phrase = "serrano ham beside nine bees of maria";
    assert!(codes(&rules, phrase, &context).is_empty());
}

#[test]
fn asvs_v6_2_12_a_breached_password_is_refused() {
    let (mut file, breached) = (tempfile::NamedTempFile::new().unwrap(), "nine bees keep maria");
    // SHA-1 of it, as the lists of Have I Been Pwned come, then one of another in lower case.
    writeln!(file, "{}:17\r", sha1_hex(breached).to_uppercase()).unwrap();
    writeln!(file, "{}", sha1_hex("pa\u{308}ssworter ohne ende")).unwrap();
    writeln!(file, "\nLocal Lab Nickname 2026\r").unwrap();
    file.write_all(b"not \xff text\nlast line without an end").unwrap();
    let list = Blocklist::with_file(file.path()).unwrap();
    assert!(!format!("{list:?}").contains("Nickname"));
    let rules = PasswordRules::default().with_blocklist(list);

    let problems = check(&rules, breached, &[]);
    assert_eq!(problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["breached"]);
    assert!(problems[0].help.contains("breach"));
    assert_eq!(codes(&rules, "pa\u{308}ssworter ohne ende", &[]), ["breached"]);
    assert_eq!(codes(&rules, "LOCAL lab nickname 2026", &[]), ["common"]);
    assert_eq!(codes(&rules, "last line without an end", &[]), ["common"]);
    assert_eq!(codes(&rules, "password12345678", &[]), ["common"], "our own list stays");
    // Case counts in a breach list: it holds digests of exact passwords.
    assert!(codes(&rules, "Nine bees keep maria", &[]).is_empty());
    assert!(codes(&PasswordRules::default(), breached, &[]).is_empty());
}

#[test]
fn asvs_v6_2_12_a_missing_list_is_an_error_that_names_it() {
    let error = Blocklist::with_file(Path::new("/nowhere/breached.txt")).unwrap_err();
    assert!(matches!(error, BlocklistError::Read { .. }));
    let text = error.to_string();
    assert!(text.contains("password.blocklist_file") && text.contains("/nowhere/breached.txt"));
    let folder = tempfile::tempdir().unwrap();
    assert!(Blocklist::with_file(folder.path()).is_err());
}

#[test]
fn seed_oq_44_short_common_numeric_and_similar_passwords_are_refused_with_the_reason() {
    let rules = of_length(8);
    let context = ["ada.byron", "countess@example.org"];
    for (password, code) in [
        ("kq7#vTz", "too_short"),
        ("password123", "common"),
        ("8305719462", "weak"),
        ("ada.byron1", "too_similar"),
        ("countess1815", "too_similar"),
    ] {
        let problems = check(&rules, password, &context);
        assert!(problems.iter().any(|problem| problem.code == code), "{password} {problems:?}");
        assert!(problems.iter().all(|problem| !problem.help.contains(password)));
    }
    assert!(codes(&rules, "kq7#vTzw", &context).is_empty());
}

#[test]
fn what_the_estimate_finds_guessable_is_weak() {
    let rules = of_length(8);
    assert_eq!(codes(&rules, "charlie7x", &[]), ["weak"]);
    // One hint is enough: the estimate is silent where a plainer fault was found.
    assert_eq!(codes(&rules, "password123", &[]), ["common"]);
}

#[test]
fn atk_a014_a_password_over_4096_bytes_is_refused_and_not_looked_at() {
    let problems = check(&PasswordRules::default(), &"x".repeat(4097), &["x"]);
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].code, problems[0].params["max_bytes"]), ("too_long", 4096));
    let words: Vec<_> = (0..600).map(|n| format!("bee{} ", n * 7919 % 1009)).collect();
    let words = words.concat();
    assert!(check(&PasswordRules::default(), &words[..4096], &[]).is_empty());
}

#[test]
fn what_is_no_text_is_refused() {
    let problems = PasswordRules::default().check(&Secret::new(vec![0xff; 20]), &[]);
    assert_eq!(problems[0].code, "weak");
}

fn sha1_hex(text: &str) -> String {
    use sha1::{Digest, Sha1};
    let digits: Vec<_> = Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
