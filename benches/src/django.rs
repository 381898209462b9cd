//! The Django site, in a virtual environment below `target/` that is made when it is missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Result,
    child::{Server, free_address},
};

/// Where `bench_site.py` lies.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/django");

/// Django as it can be run from here.
#[derive(Debug)]
pub struct Django {
    python: PathBuf,
}

impl Django {
    /// Finds the virtual environment, or makes it: Django 5.2, gunicorn and the driver of
    /// `PostgreSQL` from the package index.
    pub fn find() -> Result<Self> {
        let program = env::current_exe()?;
        let mut above = program.ancestors();
        let target = above.find(|path| path.ends_with("target"));
        let directory =
            target.ok_or("this program does not lie below target/")?.join("bench-django");
        let python = directory.join("bin/python");
        let complete = directory.join("complete-with-psycopg");
        if !complete.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args([
                "django>=5.2,<6",
                "gunicorn>=23",
                "psycopg[binary]>=3.2",
            ]))?;
            fs::write(complete, "")?;
        }
        Ok(Self { python })
    }

    /// Makes the site's database in the directory, with so many users who are logged in; answers
    /// their session keys.
    pub fn prepare(&self, directory: &Path, sessions: usize) -> Result<Vec<String>> {
        let printed = self.site("prepare", [path(directory), sessions.to_string()])?;
        Ok(printed.lines().map(ToOwned::to_owned).collect())
    }

    /// Serves the database that was made in the directory, under gunicorn: one worker process
    /// with four threads, keep-alive, database sessions on SQLite.
    pub fn serve(&self, directory: &Path, core: usize) -> Result<Server> {
        let address = free_address()?;
        let mut gunicorn = Command::new(&self.python);
        gunicorn
            .args(["-m", "gunicorn", "--workers", "1", "--worker-class", "gthread"])
            .args(["--threads", "4", "--keep-alive", "30", "--log-level", "error"])
            .args(["--chdir", SOURCES, "--bind", &address.to_string()])
            .arg("bench_site:application")
            .env("BENCH_DATABASE", path(directory))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Server::start(gunicorn, address, "/ping", Some(core))
    }

    /// Makes a database to import: users, each in so many of a hundred groups. Answers where it is
    /// and how long Django's own `bulk_create` took for all rows.
    pub fn people(
        &self,
        directory: &Path,
        users: usize,
        groups: usize,
    ) -> Result<(PathBuf, Duration)> {
        let took = self.people_in(&path(directory), users, groups)?;
        Ok((path(directory).into(), took))
    }

    /// As [`Self::people`], in a database of this name: a file, or a `postgres://` address, in which
    /// nothing is left behind.
    pub fn people_in(&self, database: &str, users: usize, groups: usize) -> Result<Duration> {
        let arguments = [database.to_owned(), users.to_string(), groups.to_string()];
        let seconds: f64 = self.site("people", arguments)?.trim().parse()?;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// How long Django takes for one verification.
    pub fn verify(&self, stored: &str, password: &str) -> Result<Duration> {
        let printed = self.site("verify", [stored.to_owned(), password.to_owned()])?;
        Ok(Duration::from_secs_f64(printed.trim().parse()?))
    }

    /// How long Django takes for so many mails on one connection that is open already.
    pub fn send_messages(&self, port: u16, mails: usize) -> Result<Duration> {
        let printed = self.site("mail", [port.to_string(), mails.to_string()])?;
        Ok(Duration::from_secs_f64(printed.trim().parse()?))
    }

    fn site<const N: usize>(&self, command: &str, arguments: [String; N]) -> Result<String> {
        let output = Command::new(&self.python)
            .arg(format!("{SOURCES}/bench_site.py"))
            .arg(command)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("bench_site.py {command}: {}", output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn path(directory: &Path) -> String {
    directory.join("django.db").display().to_string()
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
