//! Whether a stored hash is one that can ever be verified.

/// The most bytes of a hash that are taken. Django's own column has 128 characters; its scrypt
/// hashes are the longest of all, under 200.
pub(super) const MAX_BYTES: usize = 255;

/// Why a person will need a new password, `None` when the stored text is a hash of a scheme that
/// logins verify, or deliberately none.
pub(super) fn problem(stored: &str) -> Option<&'static str> {
    // Django and Unix mark accounts without a password so; that is no loss.
    if stored.is_empty() || stored.starts_with(['!', '*']) {
        return None;
    }
    if !is_printed(stored) {
        return Some("the stored password is no hash");
    }
    if has_known_form(stored) {
        None
    } else {
        Some("the password's hash is of a scheme that is not known here")
    }
}

/// Whether it is made of the characters that hashes are made of: printed ASCII, without blanks.
pub(super) fn is_printed(stored: &str) -> bool {
    stored.bytes().all(|byte| byte.is_ascii_graphic())
}

fn has_known_form(stored: &str) -> bool {
    // Old Django wrote bare MD5 without salt.
    if is_hex(stored, 32) {
        return true;
    }
    let Some((scheme, rest)) = stored.split_once('$') else {
        return false;
    };
    let fields: Vec<_> = rest.split('$').collect();
    let is_number = |text: &str| text.parse::<u32>().is_ok_and(|number| number > 0);
    match (scheme, &fields[..]) {
        ("pbkdf2_sha256" | "pbkdf2_sha1" | "pbkdf2_wrapped_sha1", [rounds, _, digest]) => {
            is_number(rounds) && !digest.is_empty()
        }
        // Without Django's prefix: as some sites let PAM or other programs write.
        ("argon2" | "", [variant, ..]) if variant.starts_with("argon2") => fields.len() >= 4,
        ("bcrypt" | "bcrypt_sha256", ["", version, cost, digest]) => {
            version.starts_with('2') && is_number(cost) && digest.len() == 53
        }
        ("scrypt", [n, _, r, p, digest]) => {
            [n, r, p].into_iter().all(|number| is_number(number)) && !digest.is_empty()
        }
        ("md5", [_, digest]) => is_hex(digest, 32),
        ("sha1", [_, digest]) => is_hex(digest, 40),
        ("crypt", [_, digest]) => !digest.is_empty(),
        // Modular crypt strings, likewise.
        ("", ["5" | "6", _, ..]) => fields.len() >= 3,
        ("", ["2a" | "2b" | "2y", cost, digest]) => is_number(cost) && digest.len() == 53,
        _ => false,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_nobody_can_verify_are_told_apart() {
        let bcrypt = "$2b$06$yk3LF6XsQggM1odnfEfur.AumOfdoRKehpnBkDnWiibfGfwqgalja";
        let digest = "5f4dcc3b5aa765d61d8327deb882cf99";
        for known in [
            "pbkdf2_sha256$260000$salt$ZGlnZXN0",
            "pbkdf2_sha1$10000$salt$ZGlnZXN0",
            "pbkdf2_wrapped_sha1$10000$salt$ZGlnZXN0",
            "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$ZGlnZXN0",
            &format!("bcrypt${bcrypt}"),
            &format!("bcrypt_sha256${bcrypt}"),
            bcrypt,
            "scrypt$16384$salt$8$5$ZGlnZXN0",
            &format!("md5$salt${digest}"),
            digest,
            "!unusable",
            "*",
            "",
        ] {
            assert_eq!(problem(known), None, "{known}");
        }
        for unknown in [
            "sha3_512$salt$ZGlnZXN0",
            "pbkdf2_sha256$many$salt$ZGlnZXN0",
            "plain",
            "password with blanks",
            "bcrypt$$2b$06$short",
            "md5$salt$nothex",
        ] {
            assert!(problem(unknown).is_some(), "{unknown}");
        }
    }
}
