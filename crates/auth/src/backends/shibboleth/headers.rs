//! What the headers of a trusted proxy say, read with distrust: a request whose identity headers
//! could be read in two ways is refused as a whole.

use vestibule_core::{Secret, ports::backend::ProxyHeaders};

use super::form::HashForm;

/// The most bytes that a value has, lists of groups included.
const LONGEST: usize = 16 * 1024;

/// The most bytes that a name of a person has.
const LONGEST_NAME: usize = 255;

/// Which header tells what.
pub(super) struct Names {
    pub(super) hash: String,
    pub(super) form: HashForm,
    pub(super) uid: Option<String>,
    pub(super) mail: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) groups: Option<String>,
    /// By what the proxy shows that it is the one, beside its address.
    pub(super) secret: Option<(String, Secret)>,
}

/// What they told.
pub(super) struct Told {
    pub(super) hash: String,
    pub(super) uid: Option<String>,
    pub(super) mails: Vec<String>,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// `None` where no header is for that.
    pub(super) groups: Option<Vec<String>>,
}

/// Why they tell nothing. What was sent is not quoted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// The proxy knows nobody.
    Nobody(String),
    /// They are not what a proxy that is set up rightly sends.
    Odd(String),
}

impl Names {
    /// All names that count.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let others = [&self.uid, &self.mail, &self.first_name, &self.last_name, &self.groups];
        let secret = self.secret.iter().map(|(name, _)| name);
        let others = others.into_iter().flatten().chain(secret);
        std::iter::once(&self.hash).chain(others).map(String::as_str)
    }

    /// Reads them. Without a hash nobody is told, whatever else there is.
    pub(super) fn read(&self, headers: &ProxyHeaders) -> Result<Told, Unusable> {
        self.require_secret(headers)?;
        self.refuse_lookalikes(headers)?;
        Ok(Told {
            hash: self.hash(headers)?,
            uid: self.uid(headers)?,
            mails: values(headers, self.mail.as_deref())?,
            first_name: name_of(headers, self.first_name.as_deref())?,
            last_name: name_of(headers, self.last_name.as_deref())?,
            groups: match &self.groups {
                Some(name) => Some(values(headers, Some(name))?),
                None => None,
            },
        })
    }

    fn require_secret(&self, headers: &ProxyHeaders) -> Result<(), Unusable> {
        let Some((name, secret)) = &self.secret else { return Ok(()) };
        match only(headers, name)? {
            None => Err(odd(name, "is missing: the request came past the proxy")),
            Some(value) if Secret::new(value) != *secret => Err(odd(name, "is wrong")),
            Some(_) => Ok(()),
        }
    }

    /// A name that reads like one that counts, and is not: somewhere between here and the browser
    /// somebody may take the one for the other.
    fn refuse_lookalikes(&self, headers: &ProxyHeaders) -> Result<(), Unusable> {
        for (sent, _) in headers.iter() {
            let bare = bare(sent);
            let like = self
                .all()
                .find(|name| !sent.eq_ignore_ascii_case(name) && bare == self::bare(name));
            if let Some(name) = like {
                return Err(odd(
                    name,
                    &format!("came with another that reads like it: {}", escaped(sent)),
                ));
            }
        }
        Ok(())
    }

    fn hash(&self, headers: &ProxyHeaders) -> Result<String, Unusable> {
        let name = &self.hash;
        match only(headers, name)? {
            // A service provider that writes headers itself sends empty ones for strangers.
            None => Err(Unusable::Nobody(format!("{name}: is missing"))),
            Some([]) => Err(Unusable::Nobody(format!("{name}: is empty"))),
            Some(value) => std::str::from_utf8(value)
                .ok()
                .filter(|hash| self.form.fits(hash))
                .map(str::to_owned)
                .ok_or_else(|| odd(name, "has not the form of a hash")),
        }
    }

    fn uid(&self, headers: &ProxyHeaders) -> Result<Option<String>, Unusable> {
        let Some(name) = &self.uid else { return Ok(None) };
        let Some(uid) = text(headers, name)? else { return Ok(None) };
        if uid.contains([',', ';', '\\']) || uid.len() > LONGEST_NAME {
            return Err(odd(name, "is a list, or too long"));
        }
        Ok(Some(uid.to_owned()))
    }
}

/// What is left of a header's name when all is gone that proxies and servers add, fold or drop:
/// `X-EAA_Hash`, `HTTP_EAAHASH` and `eaa.hash` are all one.
pub(super) fn bare(name: &str) -> String {
    let mut bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    while let Some(rest) = ["http", "ajp", "shib", "x"]
        .iter()
        .find_map(|prefix| bare.strip_prefix(prefix).filter(|rest| !rest.is_empty()))
    {
        bare = rest.to_owned();
    }
    bare
}

/// The value of a header that may come once.
fn only<'a>(headers: &'a ProxyHeaders, name: &'a str) -> Result<Option<&'a [u8]>, Unusable> {
    let mut all = headers.all(name);
    match (all.next(), all.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(odd(name, "came twice")),
    }
}

/// The text of a header that may come once; an empty one is none.
fn text<'a>(headers: &'a ProxyHeaders, name: &'a str) -> Result<Option<&'a str>, Unusable> {
    let Some(value) = only(headers, name)?.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.len() > LONGEST {
        return Err(odd(name, "is too long"));
    }
    let text = std::str::from_utf8(value).map_err(|_| odd(name, "is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(odd(name, "has control characters"));
    }
    Ok(Some(text))
}

/// The values of an attribute as `mod_shib` joins them: with `;` between, and `\;` for one inside.
fn values(headers: &ProxyHeaders, name: Option<&str>) -> Result<Vec<String>, Unusable> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let Some(joined) = text(headers, name)? else { return Ok(Vec::new()) };
    let mut found = vec![String::new()];
    let mut rest = joined.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ';' => found.push(String::new()),
            '\\' if rest.next_if_eq(&';').is_some() => push(&mut found, ';'),
            other => push(&mut found, other),
        }
    }
    found.retain(|value| !value.is_empty());
    Ok(found)
}

fn push(values: &mut [String], next: char) {
    if let Some(last) = values.last_mut() {
        last.push(next);
    }
}

/// The first of an attribute's values, cut to what a name may have.
fn name_of(headers: &ProxyHeaders, name: Option<&str>) -> Result<String, Unusable> {
    let first = values(headers, name)?.into_iter().next().unwrap_or_default();
    Ok(first.trim().chars().take(LONGEST_NAME).collect())
}

fn odd(name: &str, what: &str) -> Unusable {
    Unusable::Odd(format!("{name}: {what}"))
}

/// For the log: nothing of it can be read as something else, and no more than a line.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars().take(60) {
        if c.is_ascii_graphic() {
            text.push(c);
        } else {
            text.extend(c.escape_unicode());
        }
    }
    text
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
