//! Distinguished names as text (RFC 4514).

use std::fmt::Write as _;

/// What the first part of a name says: `("cn", "staff")` of `cn=staff,ou=groups`. None when it is
/// no name, or one whose value is written in bytes.
pub(super) fn first_part(dn: &str) -> Option<(&str, String)> {
    let (attribute, rest) = dn.split_once('=')?;
    let attribute = attribute.trim();
    let is_sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if attribute.is_empty() || !attribute.chars().all(is_sound) || rest.trim().starts_with('#') {
        return None;
    }
    let mut value = Vec::new();
    // Blanks at the end count only when they are escaped.
    let mut end = 0;
    let mut bytes = rest.trim_start().bytes();
    loop {
        match bytes.next() {
            None | Some(b',' | b'+' | b';') => break,
            Some(b'\\') => {
                let escaped = bytes.next()?;
                let byte = match char::from(escaped).to_digit(16) {
                    Some(high) => {
                        let low = char::from(bytes.next()?).to_digit(16)?;
                        u8::try_from(high * 16 + low).ok()?
                    }
                    None => escaped,
                };
                value.push(byte);
                end = value.len();
            }
            Some(b' ') => value.push(b' '),
            Some(byte) => {
                value.push(byte);
                end = value.len();
            }
        }
    }
    value.truncate(end);
    let value = String::from_utf8(value).ok()?;
    (!value.is_empty()).then_some((attribute, value))
}

/// A form in which most spellings of a name are one: in small letters, without blanks around its
/// signs. It decides what was looked at already, and never who somebody is.
pub(super) fn normal(dn: &str) -> String {
    let mut normal = String::with_capacity(dn.len());
    let (mut is_escaped, mut is_after_sign) = (false, true);
    for c in dn.chars() {
        let is_sign = !is_escaped && matches!(c, ',' | '=' | '+' | ';');
        if is_sign {
            normal.truncate(normal.trim_end_matches(' ').len());
        }
        if c != ' ' || !is_after_sign {
            let _ = write!(normal, "{}", c.to_lowercase());
            is_after_sign = is_sign;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    normal
}

/// Whether a name is below another one, or the same.
pub(super) fn is_below(dn: &str, base: &str) -> bool {
    let (dn, base) = (normal(dn), normal(base));
    dn.strip_suffix(&base).is_some_and(|above| above.is_empty() || above.ends_with(','))
}

#[cfg(test)]
mod tests {
    use super::{first_part, is_below, normal};

    #[test]
    fn the_first_part_of_a_name_is_read_as_it_is_meant() {
        let value = |dn| first_part(dn).map(|(_, value)| value);
        assert_eq!(first_part("cn=staff,ou=groups"), Some(("cn", "staff".to_owned())));
        assert_eq!(
            value("cn=Group\\, with (signs) * \\\\,ou=g").unwrap(),
            "Group, with (signs) * \\"
        );
        assert_eq!(value("cn=G\\C3\\A4ste,ou=g").unwrap(), "Gäste");
        assert_eq!(value("cn = staff , ou=g").unwrap(), "staff");
        assert_eq!(value("cn=staff\\ ,ou=g").unwrap(), "staff ");
        assert_eq!(value("cn=a+ou=b,dc=c").unwrap(), "a");
        for none in ["", "staff", "cn=", "=x", "cn=\\", "cn=\\c", "cn=\\ff", "cn=#0403", "a b=c"] {
            assert_eq!(first_part(none), None, "{none}");
        }
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        assert_eq!(normal("CN=Ann Able, OU = People,dc=X"), "cn=ann able,ou=people,dc=x");
        assert_eq!(normal("cn=a\\, b,dc=x"), "cn=a\\, b,dc=x");
        assert!(is_below("uid=ann, OU=people,dc=x", "ou=People,dc=x"));
        assert!(is_below("ou=people,dc=x", "ou=people,dc=x"));
        assert!(!is_below("uid=ann,ou=otherpeople,dc=x", "people,dc=x"));
        assert!(!is_below("uid=ann,ou=guests,dc=x", "ou=people,dc=x"));
    }
}
