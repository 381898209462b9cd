//! From a notice to what it says: subject, text, and the text's twin in HTML.
//!
//! Templates are files of a folder `mail/KIND`; one of the operator's (`site.template_dirs`) wins
//! over the built-in one of the same name, and `mail/LANGUAGE/KIND` over `mail/KIND`. What people
//! typed comes in as values: it is never read as a template, and escaped where HTML is written.

mod values;

use std::{fmt, fs, path::PathBuf, sync::Arc};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig};
use vestibule_core::{Timestamp, domain::notice::Notice};

use self::values::values;

const SUBJECT: &str = "subject.txt";
const TEXT: &str = "body.txt";
const HTML: &str = "body.html";
/// Longer values say nothing more to anybody; a subject of it still fits its header.
const LONGEST_LINE: usize = 300;

macro_rules! built_in {
    ($($kind:literal),* $(,)?) => {
        &[
            ("mail/layout.html", include_str!("../templates/mail/layout.html")),
            ("mail/layout.txt", include_str!("../templates/mail/layout.txt")),
            $(built_in!(@file $kind, "/subject.txt"),
            built_in!(@file $kind, "/body.txt"),
            built_in!(@file $kind, "/body.html")),*
        ]
    };
    (@file $kind:literal, $file:literal) => {
        (
            concat!("mail/", $kind, $file),
            include_str!(concat!("../templates/mail/", $kind, $file)),
        )
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "test",
    "activate",
    "reset",
    "reset_elsewhere",
    "welcome",
    "address_known",
    "name_taken",
    "email_change",
    "email_changed",
    "password_changed",
    "invitation",
    "registration_waits",
    "registration_approved",
    "registration_refused",
    "identity_changed",
    "new_browser",
    "message",
    "error_report",
    "site_news",
    "undelivered",
];

/// Where the site is: what every link begins with, without a slash at the end. Asked for when a
/// mail is written, as a service may settle its paths after the worker has begun.
#[derive(Clone)]
pub struct Address(Arc<dyn Fn() -> String + Send + Sync>);

impl Address {
    /// As this tells.
    pub fn of(tell: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// This one.
    pub fn fixed(url: &str) -> Self {
        let url = url.to_owned();
        Self::of(move || url.clone())
    }

    /// The address as it is now.
    pub fn get(&self) -> String {
        (self.0)()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.get())
    }
}

/// What every mail says of the site.
#[derive(Clone, Debug)]
pub struct SiteFacts {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: Address,
    /// What every subject begins with.
    pub subject_prefix: String,
    /// Whether a picture goes along.
    pub has_logo: bool,
}

/// A notice in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// One line.
    pub subject: String,
    /// For every mail program.
    pub text: String,
    /// The same for those that show HTML.
    pub html: String,
}

/// A template of the operator's that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct TemplateProblem {
    /// Which file.
    pub file: String,
    /// In which line; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Writes notices.
pub struct Renderer {
    site: SiteFacts,
    folders: Vec<PathBuf>,
    /// The operator's templates before the built-in ones.
    dressed: Environment<'static>,
    /// The built-in ones alone.
    plain: Environment<'static>,
}

impl Renderer {
    /// With the operator's folders, the first of which wins.
    pub fn new(site: SiteFacts, folders: Vec<PathBuf>) -> Self {
        let mut dressed = environment();
        let searched = folders.clone();
        dressed.set_loader(move |name| Ok(find(&searched, name).or_else(|| built_in(name))));
        let mut plain = environment();
        plain.set_loader(|name| Ok(built_in(name)));
        Self { site, folders, dressed, plain }
    }

    /// Writes a notice. A template of the operator's that cannot be used is told of in the log,
    /// and the built-in one takes its place.
    ///
    /// # Errors
    /// When not even that one can be used.
    pub fn write(
        &self,
        notice: &Notice,
        language: &str,
        link: Option<&str>,
        expires_at: Option<Timestamp>,
    ) -> Result<Written, TemplateProblem> {
        match self.with(&self.dressed, notice, language, link, expires_at) {
            Ok(written) => Ok(written),
            Err(problem) => {
                tracing::error!(
                    file = problem.file,
                    line = problem.line,
                    reason = problem.reason,
                    "a mail template cannot be used; the built-in one is"
                );
                self.with(&self.plain, notice, language, link, expires_at)
            }
        }
    }

    /// Tries every template there is, in every language of the operator's folders. Answers what
    /// does not hold, so that it is found at the start and not when a mail is due.
    pub fn problems(&self) -> Vec<TemplateProblem> {
        let mut found = Vec::new();
        for language in self.languages() {
            for notice in Notice::samples() {
                let link = notice.link().map(|_| format!("{}/link/token", self.site.url.get()));
                let until = Some(Timestamp::from_micros(1_767_225_600_000_000));
                let tried = self.with(&self.dressed, &notice, &language, link.as_deref(), until);
                found.extend(tried.err());
            }
        }
        found.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
        found.dedup();
        found
    }

    /// The site's own language, and every folder beside those of the notices.
    fn languages(&self) -> Vec<String> {
        let mut languages = vec![String::new()];
        for folder in &self.folders {
            let Ok(entries) = fs::read_dir(folder.join("mail")) else { continue };
            for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_notice = Notice::samples().iter().any(|notice| notice.kind() == name);
                if !is_notice && !languages.contains(&name) {
                    languages.push(name);
                }
            }
        }
        languages
    }

    fn with(
        &self,
        environment: &Environment<'static>,
        notice: &Notice,
        language: &str,
        link: Option<&str>,
        expires_at: Option<Timestamp>,
    ) -> Result<Written, TemplateProblem> {
        let values = context! {
            site => context! {
                name => &self.site.name,
                url => self.site.url.get(),
                has_logo => self.site.has_logo,
            },
            language => if language.is_empty() { "en" } else { language },
            link => link,
            expires_at => expires_at.map(in_words),
            ..Value::from(values(notice))
        };
        let part = |file: &str| {
            let names = names(notice.kind(), language, file);
            self.part(environment, &names, &values)
        };
        let subject = format!("{}{}", self.site.subject_prefix, part(SUBJECT)?);
        Ok(Written { subject: one_line(&subject), text: part(TEXT)?, html: part(HTML)? })
    }

    /// The first of these templates that is there.
    fn part(
        &self,
        environment: &Environment<'static>,
        names: &[String],
        values: &Value,
    ) -> Result<String, TemplateProblem> {
        let mut missing = None;
        for name in names {
            match environment.get_template(name) {
                Ok(template) => {
                    return template.render(values).map_err(|error| self.problem(name, &error));
                }
                Err(error) if error.kind() == minijinja::ErrorKind::TemplateNotFound => {
                    missing = Some(self.problem(name, &error));
                }
                Err(error) => return Err(self.problem(name, &error)),
            }
        }
        let nothing = TemplateProblem {
            file: names.first().cloned().unwrap_or_default(),
            line: 0,
            reason: "is not there".to_owned(),
        };
        Err(missing.unwrap_or(nothing))
    }

    fn problem(&self, asked: &str, error: &minijinja::Error) -> TemplateProblem {
        let name = error.name().unwrap_or(asked);
        let file = self.folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        // The detail names what is wrong, never what a value holds.
        let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        TemplateProblem {
            file: file.map_or_else(|| name.to_owned(), |file| file.display().to_string()),
            line: error.line().unwrap_or(0),
            reason: one_line(&reason),
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A line with nothing but a tag leaves no empty line.
    match SyntaxConfig::builder().trim_blocks(true).build() {
        Ok(syntax) => environment.set_syntax(syntax),
        Err(error) => tracing::error!(%error, "mail templates keep their empty lines"),
    }
    environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "html")) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment
}

fn built_in(name: &str) -> Option<String> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, source)| (*source).to_owned())
}

/// A file of the operator's. Names come from templates as well (`extends`), and stay within.
fn find(folders: &[PathBuf], name: &str) -> Option<String> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !name.split('/').all(is_plain) {
        return None;
    }
    folders.iter().find_map(|folder| fs::read_to_string(folder.join(name)).ok())
}

/// By which names a template may be found: in the language, in the language without its region,
/// in any.
fn names(kind: &str, language: &str, file: &str) -> Vec<String> {
    let mut names = Vec::new();
    if !language.is_empty() {
        names.push(format!("mail/{language}/{kind}/{file}"));
        if let Some((base, _)) = language.split_once('-') {
            names.push(format!("mail/{base}/{kind}/{file}"));
        }
    }
    names.push(format!("mail/{kind}/{file}"));
    names
}

/// A time as people read it, in UTC and to the minute.
fn in_words(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        None => text,
    }
}

/// One line without controls and without blanks at its ends.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_LINE).collect()
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
