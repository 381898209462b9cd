//! The Django site, in a virtual environment below `target/` that is made when it is missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use vestibule_benches::{
    Result,
    child::{Server, free_address},
};

use crate::sites::Site;

/// Where `site.py` lies.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/django");

/// Starts it under gunicorn: one worker process with four threads, keep-alive, database sessions
/// on SQLite.
pub(crate) fn start(directory: &Path, sessions: usize, core: usize) -> Result<Site> {
    let python = environment()?;
    let database = directory.join("django.db");
    let prepared = Command::new(&python)
        .arg(format!("{SOURCES}/site.py"))
        .arg("prepare")
        .arg(&database)
        .arg(sessions.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    if !prepared.status.success() {
        return Err("the Django site could not be prepared".into());
    }
    let tokens = String::from_utf8(prepared.stdout)?;
    let address = free_address()?;
    let mut gunicorn = Command::new(&python);
    gunicorn
        .args(["-m", "gunicorn", "--workers", "1", "--worker-class", "gthread"])
        .args(["--threads", "4", "--keep-alive", "30", "--log-level", "error"])
        .args(["--chdir", SOURCES, "--bind", &address.to_string()])
        .arg("site:application")
        .env("BENCH_DATABASE", &database)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(Site {
        server: Server::start(gunicorn, address, "/ping", Some(core))?,
        tokens: tokens.lines().map(ToOwned::to_owned).collect(),
    })
}

/// The Python interpreter of the virtual environment.
fn environment() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("this program does not lie below target/")?;
    let directory = target.join("bench-django");
    let python = directory.join("bin/python");
    let complete = directory.join("complete");
    if !complete.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
        let packages = ["django>=5.2,<6", "gunicorn>=23"];
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        fs::write(complete, "")?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
