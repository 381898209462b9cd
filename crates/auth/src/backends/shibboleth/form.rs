//! What a hash looks like.

use serde::Deserialize;

/// The form that every hash has; whatever has another is none, and nobody is asked about it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum HashForm {
    /// As Umbrella's are: a UUID in small letters (RFC 9562 section 4).
    #[default]
    Uuid,
    /// 32 to 128 hexadecimal digits in small letters.
    Hex,
    /// 16 to 128 letters, digits and `-._~+/=@`.
    Token,
}

impl HashForm {
    pub(super) fn fits(self, hash: &str) -> bool {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match self {
            Self::Uuid => {
                let dash = |at: usize| [8, 13, 18, 23].contains(&at);
                let fits = |(at, byte): (usize, u8)| {
                    if dash(at) { byte == b'-' } else { is_hex(byte) }
                };
                hash.len() == 36 && hash.bytes().enumerate().all(fits)
            }
            Self::Hex => (32..=128).contains(&hash.len()) && hash.bytes().all(is_hex),
            Self::Token => {
                let is_plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=@".contains(&byte);
                (16..=128).contains(&hash.len()) && hash.bytes().all(is_plain)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HashForm;

    #[test]
    fn atk_a135_a_hash_has_its_form_to_the_letter() {
        let uuid = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";
        assert!(HashForm::Uuid.fits(uuid));
        for wrong in [
            "",
            "not-a-hash",
            &uuid[1..],
            &uuid.to_uppercase(),
            &format!("{uuid} "),
            &format!("{uuid}{uuid}"),
            &format!("{{{}}}", &uuid[..34]),
            &uuid.replace('-', "0"),
            &uuid.replace("6f", "6g"),
            &uuid.replace("6f", "６"),
        ] {
            assert!(!HashForm::Uuid.fits(wrong), "{wrong:?}");
        }
        let hex = "0123456789abcdef0123456789abcdef";
        assert!(HashForm::Hex.fits(hex) && HashForm::Hex.fits(&hex.repeat(4)));
        for wrong in [&hex[1..], &hex.repeat(5), &hex.to_uppercase(), uuid] {
            assert!(!HashForm::Hex.fits(wrong), "{wrong:?}");
        }
        assert!(HashForm::Token.fits("aBcdefgh+ijklm=="));
        for wrong in ["short", "abcdefgh;ijklmnop", "abcdefgh ijklmnop", "äbcdefghijklmnop"] {
            assert!(!HashForm::Token.fits(wrong), "{wrong:?}");
        }
    }
}
