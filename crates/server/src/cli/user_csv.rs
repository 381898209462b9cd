//! Accounts from and to CSV (RFC 4180).

use std::{
    collections::HashSet,
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use vestibule_core::{
    Secret, Timestamp,
    domain::{email::Email, page::PageRequest, username::Username},
    ports::users::{UserFilter, UserOrder},
    usecase::users::NewUser,
};

use super::{CliError, hall::Hall, output::Out};

/// A row, as it is read. Columns may stand in any order; only `username` is needed. Every column
/// of an export is known, so that it can be read back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    password: String,
    /// Names of groups, with `;` between them; one that has a `;` stands in quotes.
    #[serde(default)]
    groups: String,
    #[serde(default)]
    is_active: Option<bool>,
    #[serde(default)]
    is_staff: Option<bool>,
    #[serde(default)]
    is_superuser: Option<bool>,
    #[serde(default)]
    expires_at: String,
    /// What an export tells besides: of another hall's past, and not taken over.
    #[serde(default, rename = "created_at")]
    _created_at: String,
    #[serde(default, rename = "last_login_at")]
    _last_login_at: String,
}

/// What became of a row.
#[derive(Serialize)]
struct RowResult {
    line: u64,
    username: String,
    ok: bool,
    problem: Option<String>,
}

/// Makes an account of each row, each in a transaction of its own: a row that does not hold is
/// reported and the others go on. Exit status 1 when any did not.
pub(super) async fn import(
    hall: &Hall,
    file: &Path,
    dry_run: bool,
    out: &mut Out,
) -> Result<u8, CliError> {
    let mut reader = csv::Reader::from_reader(open(file)?);
    let headers = reader.headers().map_err(|e| unreadable(file, &e))?.clone();
    let rows: Vec<_> = reader.records().collect();
    let progress = progress(rows.len());
    let mut results = Vec::new();
    let mut promised = Promised::default();
    for record in rows {
        let line = match &record {
            Ok(record) => record.position(),
            Err(error) => error.position(),
        };
        let line = line.map_or(0, csv::Position::line);
        let row = record.and_then(|record| record.deserialize::<Row>(Some(&headers)));
        let (username, result) = match row {
            Ok(row) => {
                let (username, email) = (formula(row.username.clone()), formula(row.email.clone()));
                let mut result = add(hall, row, dry_run).await;
                if dry_run && result.is_ok() {
                    result = promised.promise(&username, &email);
                }
                (username, result)
            }
            Err(error) => (String::new(), Err(CliError::Failed(error.to_string()))),
        };
        let problem = result.err().map(|error| error.to_string());
        results.push(RowResult { line, username, ok: problem.is_none(), problem });
        progress.inc(1);
    }
    progress.finish_and_clear();
    let failed = results.iter().filter(|result| !result.ok).count();
    if out.is_json() {
        out.json(&results)?;
    } else {
        let shown: Vec<_> = results.iter().filter(|result| !result.ok).collect();
        if !shown.is_empty() {
            out.records(&shown, &["line", "username", "problem"])?;
        }
        let done = if dry_run { "would be made" } else { "made" };
        out.say(&format!("{} accounts {done}, {failed} rows failed", results.len() - failed))?;
    }
    Ok(u8::from(failed > 0))
}

/// What the rows of a dry run would have been given, by what it is found by; the database knows
/// nothing of it.
#[derive(Default)]
struct Promised(HashSet<String>);

impl Promised {
    fn promise(&mut self, username: &str, email: &str) -> Result<(), CliError> {
        let taken = |field| Err(CliError::Failed(format!("{field}: is taken by a row above")));
        let (name, address) = (Username::key_of(username), Email::key_of(email));
        if self.0.contains(&name) {
            return taken("username");
        }
        if !address.is_empty() && self.0.contains(&address) {
            return taken("email");
        }
        self.0.extend([name, address]);
        Ok(())
    }
}

async fn add(hall: &Hall, row: Row, dry_run: bool) -> Result<(), CliError> {
    let expires_at =
        match row.expires_at.as_str() {
            "" => None,
            text => Some(Timestamp::parse_rfc3339(text).ok_or_else(|| {
                CliError::Failed("expires_at: is not an RFC 3339 time".to_owned())
            })?),
        };
    let mut groups = Vec::new();
    for name in names_in(&formula(row.groups))? {
        groups.push(hall.group(&name).await?.id);
    }
    let new = NewUser {
        username: formula(row.username),
        email: Some(formula(row.email)),
        first_name: formula(row.first_name),
        last_name: formula(row.last_name),
        password: Some(row.password).filter(|p| !p.is_empty()).map(Secret::from),
        is_disabled: row.is_active == Some(false),
        is_staff: row.is_staff == Some(true),
        is_superuser: row.is_superuser == Some(true),
        expires_at,
        groups,
        is_welcomed: false,
    };
    let services = hall.services();
    if dry_run {
        return Ok(services.users.check(&hall.cx, new).await?);
    }
    services.users.add(&hall.cx, new).await?;
    Ok(())
}

/// Writes all accounts, page by page. Never a password or its hash.
pub(super) async fn export(hall: &Hall, file: &Path, out: &mut Out) -> Result<(), CliError> {
    let mut stored;
    let sink: &mut dyn Write = if file == Path::new("-") {
        out.writer()
    } else {
        stored = File::create(file).map_err(|e| cannot_open(file, &e))?;
        &mut stored
    };
    let mut writer = csv::Writer::from_writer(sink);
    // What the sink said is kept: that nobody reads on is no failure.
    let wrote = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => CliError::Io(error),
        other => CliError::Failed(format!("a row cannot be written: {other:?}")),
    };
    let head = [
        "username",
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "expires_at",
        "created_at",
        "last_login_at",
    ];
    writer.write_record(head).map_err(wrote)?;
    let mut request =
        PageRequest { page: 1, size: 1000, order: UserOrder::CreatedAt, descending: false };
    loop {
        let page = hall.services().users.list(&hall.cx, UserFilter::default(), request.clone());
        let page = page.await?;
        let users = page.items.iter().map(|user| user.id).collect();
        let groups = hall.services().members.groups_of(&hall.cx, users).await?;
        for (user, groups) in page.items.iter().zip(groups) {
            let time = |time: Option<Timestamp>| time.map(|t| t.to_string()).unwrap_or_default();
            let email = user.email.as_ref().map_or("", |email| email.as_str());
            let row = [
                unformula(user.username.as_str()),
                unformula(email),
                unformula(user.first_name.as_str()),
                unformula(user.last_name.as_str()),
                user.is_active.to_string(),
                user.is_staff.to_string(),
                user.is_superuser.to_string(),
                unformula(&one_cell(&groups).map_err(wrote)?),
                time(user.expires_at),
                user.created_at.to_string(),
                time(user.last_login_at),
            ];
            writer.write_record(row).map_err(wrote)?;
        }
        if page.items.len() < request.size as usize {
            break;
        }
        request.page += 1;
    }
    writer.flush()?;
    Ok(())
}

/// Names in one cell, with `;` between them.
fn one_cell(names: &[String]) -> Result<String, csv::Error> {
    if names.is_empty() {
        return Ok(String::new());
    }
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(names)?;
    let cell = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8_lossy(&cell).trim_end().to_owned())
}

/// The names of [`one_cell`].
fn names_in(cell: &str) -> Result<Vec<String>, CliError> {
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(b';').has_headers(false).trim(csv::Trim::All);
    let mut names = Vec::new();
    for record in reader.from_reader(cell.as_bytes()).records() {
        let record = record.map_err(|error| CliError::Failed(format!("groups: {error}")))?;
        names.extend(record.iter().filter(|name| !name.is_empty()).map(str::to_owned));
    }
    Ok(names)
}

/// A cell that a spreadsheet would run as a formula is written as the text it is
/// (ASVS 5.0 V1.2.10). One that looks as if that had been done gets another quote, so that
/// [`formula`] finds every cell again.
fn unformula(cell: &str) -> String {
    if cell.trim_start_matches('\'').starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A cell as it was before [`unformula`].
fn formula(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        _ => cell,
    }
}

/// What a formula begins with.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn open(file: &Path) -> Result<Box<dyn Read>, CliError> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(file).map_err(|error| cannot_open(file, &error))?))
}

fn cannot_open(file: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!("{}: {error}", file.display()))
}

fn unreadable(file: &Path, error: &csv::Error) -> CliError {
    CliError::Failed(format!("{}: {error}", file.display()))
}

/// A bar for people at a terminal; nothing in a pipe.
pub(super) fn progress(length: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}
