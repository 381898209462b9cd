//! How Django writes password hashes: the scheme's name, then its parts, with `$` between.
//!
//! Every hasher that Django has shipped since 1.0 is here, and `pbkdf2_wrapped_sha1` from the
//! upgrade recipe in its documentation.

use super::{
    argon2::Argon2Hash,
    bcrypt::BcryptHash,
    des_crypt::DesCryptHash,
    legacy::{self, DigestHash},
    pbkdf2::{self, Pbkdf2Hash},
    scheme::{Unreadable, Verifier},
    scrypt::ScryptHash,
};

/// Reads one of Django's strings; `None` when it begins like none of them.
pub(super) fn parse(text: &str) -> Option<Result<Verifier, Unreadable>> {
    let Some((name, rest)) = text.split_once('$') else {
        // Ancient versions wrote nothing but the MD5 of the password.
        let bare = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        return bare.then(|| read("unsalted_md5", DigestHash::new(legacy::Kind::Md5, "", text)));
    };
    Some(match name {
        "pbkdf2_sha256" => read("pbkdf2_sha256", Pbkdf2Hash::parse(pbkdf2::Kind::Sha256, rest)),
        "pbkdf2_sha1" => read("pbkdf2_sha1", Pbkdf2Hash::parse(pbkdf2::Kind::Sha1, rest)),
        "pbkdf2_wrapped_sha1" => {
            read("pbkdf2_wrapped_sha1", Pbkdf2Hash::parse(pbkdf2::Kind::WrappedSha1, rest))
        }
        // The name stands directly before the library's own string and its `$`.
        "argon2" => {
            let parsed = Argon2Hash::parse(&text["argon2".len()..]);
            read("argon2", parsed.map(Argon2Hash::imported))
        }
        "bcrypt" => read("bcrypt", BcryptHash::parse_plain(rest)),
        "bcrypt_sha256" => read("bcrypt_sha256", BcryptHash::parse_sha256(rest)),
        "scrypt" => read("scrypt", ScryptHash::parse(rest)),
        "md5" => read("md5", DigestHash::parse(legacy::Kind::Md5, rest)),
        "sha1" => read("sha1", DigestHash::parse(legacy::Kind::Sha1, rest)),
        "crypt" => read("crypt", DesCryptHash::parse(rest)),
        _ => return None,
    })
}

pub(super) fn read<T: Into<Verifier>>(
    scheme: &'static str,
    parsed: Result<T, &'static str>,
) -> Result<Verifier, Unreadable> {
    parsed.map(Into::into).map_err(|reason| Unreadable { scheme, reason })
}

/// Splits into exactly so many parts.
pub(super) fn parts<const N: usize>(text: &str) -> Result<[&str; N], &'static str> {
    let mut fields = text.split('$');
    let mut parts = [""; N];
    for part in &mut parts {
        *part = fields.next().ok_or("a part is missing")?;
    }
    if fields.next().is_some() {
        return Err("too many parts");
    }
    Ok(parts)
}
