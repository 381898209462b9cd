//! From file, environment and flags to settings.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    io::Read,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    Settings, backend,
    check::Check,
    given::Given,
    limits::RawLimits,
    log::RawLog,
    mail::{MailSettings, RawMail},
    password::RawPassword,
    reference,
    registration::RawRegistration,
    report::{BadValue, ConfigError, Origin, Problem},
    secret_files,
    server::RawServer,
    session::RawSession,
    site::RawSite,
    storage::RawStorage,
    user_office::RawUserOffice,
};

/// The file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "vestibule.toml";
/// The environment variable that names the file.
pub const FILE_VARIABLE: &str = "VESTIBULE_CONFIG";
const PREFIX: &str = "VESTIBULE_";
const LARGEST_FILE: u64 = 1024 * 1024;

/// A setting given by a flag of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// The flag with its dashes: `--listen`.
    pub flag: &'static str,
    /// The key it sets: `server.listen`.
    pub key: &'static str,
    /// What was typed.
    pub value: String,
}

/// Where settings come from: flags override the environment, which overrides the file.
///
/// It has no `Debug`, for the environment may hold secrets.
#[derive(Clone, Default)]
pub struct Sources {
    /// What `--config` named.
    pub file: Option<PathBuf>,
    /// The environment; variables that are not Vestibule's are passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// What other flags set.
    pub flags: Vec<FlagValue>,
    /// Where files with relative names are looked for; empty for the working directory.
    pub directory: PathBuf,
    /// What else is wrong with settings whose sections hold, a line to each problem.
    pub judge: Option<Judge>,
}

/// Tells what is wrong with settings whose sections hold.
pub type Judge = fn(&Settings) -> Vec<String>;

impl Sources {
    /// Sources in the working directory; `main` passes `std::env::vars_os()`.
    pub fn new(
        file: Option<PathBuf>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let environment = environment.into_iter().collect();
        Self { file, environment, ..Self::default() }
    }

    /// The same with one setting overridden by a flag.
    #[must_use]
    pub fn with_flag(mut self, flag: &'static str, key: &'static str, value: String) -> Self {
        self.flags.push(FlagValue { flag, key, value });
        self
    }

    /// The same, and what this finds wrong is a problem of the configuration too.
    #[must_use]
    pub fn judged_by(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// The variable of that name, unless it is unset or empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let (_, value) = self.environment.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    /// The file that was named by flag or environment, else `./vestibule.toml`; the second value
    /// tells whether it was named and so must exist.
    pub(crate) fn path(&self) -> (PathBuf, bool) {
        let named = self.file.as_deref().or_else(|| self.variable(FILE_VARIABLE).map(Path::new));
        (self.directory.join(named.unwrap_or(Path::new(DEFAULT_FILE))), named.is_some())
    }
}

/// A configuration file as it was read.
pub(crate) struct FileText {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// What makes it unfit to hold secrets, if anything does.
    pub(crate) lax: Option<BadValue>,
}

/// Settings that hold, and where each came from.
pub struct Loaded {
    /// What the settings mean.
    pub settings: Settings,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    pub(super) given: Given,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was given is left out: it holds secrets.
        f.debug_struct("Loaded")
            .field("settings", &self.settings)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// Reads and validates everything; the error lists all that does not hold.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let file = read_file(sources).map_err(|problem| ConfigError { problems: vec![problem] })?;
    assemble(file.as_ref(), sources)
}

/// The configuration file's text, or `None` when none was named and the default is not there.
pub(crate) fn read_file(sources: &Sources) -> Result<Option<FileText>, Problem> {
    let (path, named) = sources.path();
    let absent = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    if !named && path.symlink_metadata().is_err_and(absent) {
        return Ok(None);
    }
    let problem = |reason: String| Problem::of_source(Origin::File(path.clone()), reason);
    let (file, about) = secret_files::open(&path).map_err(|bad| problem(bad.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(format!("cannot be read: {}", secret_files::cause(&error))))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(problem("is larger than 1MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        problem(format!("is not UTF-8 (byte {})", error.utf8_error().valid_up_to() + 1))
    })?;
    let lax = secret_files::private(&about).err();
    Ok(Some(FileText { path, text, lax }))
}

/// What the sources mean with this text in the file's place.
pub(crate) fn assemble(file: Option<&FileText>, sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut given = Given::default();
    if let Some(file) = file {
        take_file(&mut given, file);
    }
    for (name, value) in &sources.environment {
        take_variable(&mut given, name, value);
    }
    for FlagValue { flag, key, value } in &sources.flags {
        given.offer_text(key, value, &Origin::Flag(flag));
    }
    let mut problems = given.take_problems();
    let mut check = Check::new(&given, &sources.directory);
    let settings = validate(&mut check);
    problems.extend(check.into_problems());
    let backends = backend::read(&given.backends, &sources.directory, &mut problems);
    let settings = settings.map(|settings| Settings { backends, ..settings });
    if let (Some(settings), Some(judge), true) = (&settings, sources.judge, problems.is_empty()) {
        let origin = file.map_or(Origin::BuiltIn, |file| Origin::File(file.path.clone()));
        let found = judge(settings).into_iter();
        problems.extend(found.map(|reason| Problem::of_source(origin.clone(), reason)));
    }
    match settings {
        Some(settings) if problems.is_empty() => {
            Ok(Loaded { settings, file: file.map(|file| file.path.clone()), given })
        }
        _ => Err(ConfigError { problems }),
    }
}

fn validate(check: &mut Check<'_>) -> Option<Settings> {
    // Each section is looked at before any is given up, so that all problems are found.
    let site = RawSite::validate(check);
    let server = RawServer::validate(check, site.as_ref().map(|site| site.base_url.host()));
    let storage = RawStorage::validate(check);
    let session = RawSession::validate(check);
    let password = RawPassword::validate(check);
    let registration = RawRegistration::validate(check);
    let limits = RawLimits::validate(check);
    let mail = RawMail::validate(check, site.as_ref().map_or("", |site| &site.name));
    let log = RawLog::validate(check);
    let user_office = RawUserOffice::validate(check);
    if let (Some(site), Some(registration)) = (&site, &registration) {
        MailSettings::require_where_needed(check, site, registration);
    }
    if let (Some(site), Some(mail)) = (&site, &mail) {
        mail.require_readers(check, site);
    }
    Some(Settings {
        site: site?,
        server: server?,
        storage: storage?,
        session: session?,
        password: password?,
        registration: registration?,
        limits: limits?,
        backends: Vec::new(),
        user_office: user_office?,
        mail: mail?,
        log: log?,
    })
}

fn take_file(given: &mut Given, file: &FileText) {
    let origin = Origin::File(file.path.clone());
    let document: Table = match file.text.parse() {
        Ok(document) => document,
        Err(error) => return given.refuse(Problem::of_source(origin, syntax(&file.text, &error))),
    };
    given.offer_document(document, &origin);
    let Some(lax) = &file.lax else { return };
    let of_backends = given.backends.iter().flat_map(|(table, _)| backend::exposed(table));
    let exposed: Vec<String> = given
        .iter()
        .filter(|(key, given)| {
            let text = given.value.as_str().unwrap_or_default();
            reference::find(key).is_some_and(|key| key.hides(text))
        })
        .map(|(key, _)| key.to_owned())
        .chain(of_backends)
        .collect();
    for key in exposed {
        let reason = format!("holds a secret, but the file {lax}, or give {key}_file");
        given.refuse(Problem::of_key(origin.clone(), &key, reason));
    }
}

/// Where the text stops being TOML. The parser's own display would quote the line, and the line
/// may hold a secret.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let offset = error.span().map_or(0, |span| span.start);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    // The message may go on over several lines.
    let message = error.message().lines().next().unwrap_or_default();
    format!("line {line}, column {column}: not TOML: {message}")
}

/// Takes in `VESTIBULE_SECTION__KEY`.
///
/// Names without the double underscore are not settings: container platforms set variables such
/// as `VESTIBULE_PORT` and `VESTIBULE_SERVICE_HOST` for a service of that name.
fn take_variable(given: &mut Given, name: &OsStr, value: &OsStr) {
    let shown = name.to_string_lossy();
    let Some(rest) = shown.strip_prefix(PREFIX) else {
        return;
    };
    let origin = Origin::Environment(shown.to_string());
    let Some((section, key)) = rest.split_once("__") else {
        let meant = reference::KEYS
            .iter()
            .find(|key| key.name.replace('.', "_").eq_ignore_ascii_case(rest));
        if let Some(meant) = meant {
            let reason = format!("unknown variable; did you mean {}?", meant.variable());
            given.refuse(Problem::of_source(origin, reason));
        }
        return;
    };
    let upper = !rest.bytes().any(|byte| byte.is_ascii_lowercase());
    let dotted = format!("{section}.{key}").to_ascii_lowercase();
    match value.to_str() {
        Some(text) if upper => given.offer_text(&dotted, text, &origin),
        None if upper && reference::find(&dotted).is_some() => {
            given.refuse(Problem::of_key(origin, &dotted, "is not UTF-8"));
        }
        _ => given.unknown(&dotted, &origin),
    }
}

impl Loaded {
    /// What is in force for a key: the value given, or the default that took its place; `None`
    /// when it is unset. Holds secrets as they are.
    pub(super) fn effective(&self, key: &reference::Key) -> Option<Value> {
        match self.given.get(key.name) {
            Some(given) => Some(given.value.clone()),
            None => key.default.value(&self.settings),
        }
    }

    /// Where the value in force was given.
    pub fn origin(&self, key: &str) -> Origin {
        self.given.origin(key)
    }
}
