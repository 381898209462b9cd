//! Reading the encoding of LDAP (RFC 4511 section 5.1, BER with definite lengths), as far as it
//! takes to tell an answer from nonsense. Nothing here recurses: the depth of an answer is the
//! depth of this code.

/// The operations (RFC 4511 section 4.2 onwards), by their tags.
pub(super) mod op {
    pub(in super::super) const BIND: u8 = 0x60;
    pub(in super::super) const BIND_RESPONSE: u8 = 0x61;
    pub(in super::super) const SEARCH: u8 = 0x63;
    pub(in super::super) const ENTRY: u8 = 0x64;
    pub(in super::super) const SEARCH_DONE: u8 = 0x65;
    pub(in super::super) const REFERENCE: u8 = 0x73;
    pub(in super::super) const EXTENDED: u8 = 0x77;
    pub(in super::super) const EXTENDED_RESPONSE: u8 = 0x78;
}

pub(super) const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
const CONTROLS: u8 = 0xA0;
const REFERRAL: u8 = 0xA3;
/// Active Directory puts the name of a notice behind the message and not into it.
const STRAY_NAME: u8 = 0x8A;

/// The length that begins `bytes`, and how many bytes it takes itself; `Err` when it cannot be
/// one, `Ok(None)` when more of it has to come.
pub(super) fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    if *first < 0x80 {
        return Ok(Some((usize::from(*first), 1)));
    }
    let more = usize::from(*first & 0x7F);
    if !(1..=4).contains(&more) {
        return Err(());
    }
    let Some(digits) = rest.get(..more) else { return Ok(None) };
    let length = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
    Ok(Some((length, 1 + more)))
}

/// The next element of `input`: its tag and its content.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, rest) = input.split_first()?;
    if tag & 0x1F == 0x1F {
        return None; // Tags of several bytes are not LDAP's.
    }
    let (length, taken) = length(rest).ok()??;
    let content = rest.get(taken..taken.checked_add(length)?)?;
    *input = &rest[taken + length..];
    Some((*tag, content))
}

fn expect<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    next(input).and_then(|(found, content)| (found == tag).then_some(content))
}

fn text<'a>(input: &mut &'a [u8]) -> Option<&'a str> {
    expect(input, OCTETS).and_then(|content| std::str::from_utf8(content).ok())
}

/// A number that is not negative.
fn number(content: &[u8]) -> Option<u32> {
    let is_number = (1..=4).contains(&content.len()) && content[0] < 0x80;
    is_number.then(|| content.iter().fold(0, |sum, digit| (sum << 8) | u32::from(*digit)))
}

/// A message: its number, its operation and what that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) id: u32,
    pub(super) op: u8,
    content: &'a [u8],
}

impl<'a> Message<'a> {
    /// The head of a message; whether the rest is sound is not looked at.
    pub(super) fn head(bytes: &'a [u8]) -> Option<Self> {
        let mut input = bytes;
        let mut inner = expect(&mut input, SEQUENCE)?;
        let id = number(expect(&mut inner, INTEGER)?)?;
        let (op, content) = next(&mut inner)?;
        Some(Self { id, op, content })
    }

    /// An answer that is sound in all its parts.
    pub(super) fn answer(bytes: &'a [u8]) -> Option<Self> {
        let message = Self::head(bytes)?;
        let mut input = bytes;
        let mut inner = expect(&mut input, SEQUENCE)?;
        next(&mut inner)?;
        next(&mut inner)?;
        let is_behind_sound = match next(&mut inner) {
            None => true,
            Some((CONTROLS, controls)) => are_controls(controls),
            Some((tag, _)) => tag == STRAY_NAME && message.op == op::EXTENDED_RESPONSE,
        };
        let is_whole = input.is_empty() && inner.is_empty() && is_behind_sound;
        let is_sound = match message.op {
            op::BIND_RESPONSE | op::SEARCH_DONE | op::EXTENDED_RESPONSE => {
                is_result(message.content)
            }
            op::ENTRY => is_entry(message.content).is_some(),
            op::REFERENCE => all(message.content, |input| text(input).is_some()),
            _ => false,
        };
        (is_whole && is_sound).then_some(message)
    }

    /// The code of a result.
    pub(super) fn code(&self) -> Option<u32> {
        let mut input = self.content;
        expect(&mut input, ENUMERATED).and_then(number)
    }
}

/// Whether `content` is nothing but elements of a kind.
fn all(mut content: &[u8], mut is_one: impl FnMut(&mut &[u8]) -> bool) -> bool {
    while !content.is_empty() {
        if !is_one(&mut content) {
            return false;
        }
    }
    true
}

/// `LDAPResult` (RFC 4511 section 4.1.9), and what bind and extended answers have behind it.
fn is_result(content: &[u8]) -> bool {
    let mut input = content;
    let has_code = expect(&mut input, ENUMERATED).and_then(number).is_some();
    let has_texts = text(&mut input).is_some() && text(&mut input).is_some();
    has_code
        && has_texts
        && all(input, |input| match next(input) {
            Some((REFERRAL, uris)) => all(uris, |input| text(input).is_some()),
            // SASL's part of a bind, the name and the value of an extended answer.
            Some((0x87 | 0x8A | 0x8B, _)) => true,
            _ => false,
        })
}

/// `SearchResultEntry` (RFC 4511 section 4.5.2).
fn is_entry(content: &[u8]) -> Option<()> {
    let mut input = content;
    text(&mut input)?;
    let attributes = expect(&mut input, SEQUENCE)?;
    let are_attributes = all(attributes, |input| {
        let Some(mut attribute) = expect(input, SEQUENCE) else { return false };
        let is_named = text(&mut attribute).is_some();
        let values = expect(&mut attribute, SET);
        is_named
            && attribute.is_empty()
            && values.is_some_and(|values| all(values, |input| expect(input, OCTETS).is_some()))
    });
    (input.is_empty() && are_attributes).then_some(())
}

fn are_controls(content: &[u8]) -> bool {
    all(content, |input| {
        let Some(mut control) = expect(input, SEQUENCE) else { return false };
        if text(&mut control).is_none() {
            return false;
        }
        let mut last = 0;
        all(control, |input| match next(input) {
            Some((BOOLEAN, content)) if last == 0 && content.len() == 1 => {
                last = BOOLEAN;
                true
            }
            Some((OCTETS, _)) if last != OCTETS => {
                last = OCTETS;
                true
            }
            _ => false,
        })
    })
}

/// The error of a password policy's answer (draft-behera-ldap-password-policy-11 section 6.2).
pub(super) fn policy_error(value: &[u8]) -> Option<u8> {
    let mut input = value;
    let mut inner = expect(&mut input, SEQUENCE)?;
    while let Some((tag, content)) = next(&mut inner) {
        if let (0x81, [error]) = (tag, content) {
            return Some(*error);
        }
    }
    None
}

/// The cookie of a page (RFC 2696); empty behind the last one.
pub(super) fn page_cookie(value: &[u8]) -> Option<Vec<u8>> {
    let mut input = value;
    let mut inner = expect(&mut input, SEQUENCE)?;
    expect(&mut inner, INTEGER)?;
    expect(&mut inner, OCTETS).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::{Message, length, op, page_cookie, policy_error};

    const YES: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[test]
    fn answers_are_told_from_what_is_none() {
        let message = Message::answer(YES).unwrap();
        assert_eq!((message.id, message.op, message.code()), (1, op::BIND_RESPONSE, Some(0)));
        let entry = b"\x30\x19\x02\x01\x02\x64\x14\x04\x04cn=a\x30\x0c\x30\x0a\x04\x02cn\x31\x04\x04\x02\xff\xfe";
        assert_eq!(Message::answer(entry).unwrap().op, op::ENTRY);
        for cut in 0..YES.len() {
            assert_eq!(Message::answer(&YES[..cut]), None, "{cut}");
        }
        for at in 0..YES.len() {
            for byte in 0..=255_u8 {
                let mut bytes = YES.to_vec();
                bytes[at] = byte;
                let _ = Message::answer(&bytes); // whatever it is, it is looked at without harm
            }
        }
        let no_texts = b"\x30\x08\x02\x01\x01\x61\x03\x0a\x01\x00";
        let negative = b"\x30\x0c\x02\x01\xff\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
        let behind = [YES, b"x"].concat();
        let not_utf8 = b"\x30\x0d\x02\x01\x01\x61\x08\x0a\x01\x00\x04\x01\xff\x04\x00";
        for bytes in [&no_texts[..], negative, &behind, not_utf8] {
            assert_eq!(Message::answer(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_length_is_bounded_before_anything_is_made_of_it() {
        assert_eq!(length(b"\x05"), Ok(Some((5, 1))));
        assert_eq!(length(b"\x82\x01\x00"), Ok(Some((256, 3))));
        assert_eq!(length(b"\x82\x01"), Ok(None));
        assert_eq!(length(b"\x80"), Err(()), "without an end");
        assert_eq!(length(b"\x89\x00"), Err(()), "of nine bytes");
    }

    #[test]
    fn controls_are_read() {
        assert_eq!(policy_error(b"\x30\x03\x81\x01\x02"), Some(2));
        assert_eq!(policy_error(b"\x30\x05\xa0\x03\x81\x01\x02"), None, "a warning");
        assert_eq!(policy_error(b"\x30\x00"), None);
        assert_eq!(page_cookie(b"\x30\x06\x02\x01\x00\x04\x01x"), Some(b"x".to_vec()));
        assert_eq!(page_cookie(b"nonsense"), None);
    }
}
