//! The session's cookie among the others.

/// The token that stands in a cookie, if a header holds exactly one of that name: two are
/// ambiguous (RFC 6265bis), and whoever could plant one must not choose.
pub fn sole_cookie<'h>(headers: impl Iterator<Item = &'h [u8]>, name: &str) -> Option<&'h [u8]> {
    let mut found = None;
    for pair in headers.flat_map(|header| header.split(|byte| *byte == b';')) {
        let pair = pair.trim_ascii();
        let value = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = value
            && found.replace(value).is_some()
        {
            return None;
        }
    }
    found
}
